// Package house holds the tests that keep the repository in shape: who imports
// whom, what the README shows, what stands where. It has no code of its own.
package house
