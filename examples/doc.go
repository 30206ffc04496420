// Package examples holds programs built on the packages of this module, one a
// directory, and the tests that look at several of those packages at once.
package examples
