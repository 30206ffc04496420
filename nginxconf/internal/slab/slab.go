// Package slab makes many small values at a time: of what there is one for each
// directive of a large configuration, allocating them one by one takes longer
// than all else.
package slab

import "reflect"

// room is the largest size class of Go, without the header of its objects.
const room = 32<<10 - 8

// A Slab hands out values of one type. Its zero value is ready; it is for one
// goroutine at a time.
type Slab[T any] struct {
	rest []T
	size int // of the last chunk
}

// New returns a new zero T.
func (s *Slab[T]) New() *T {
	if len(s.rest) == 0 {
		s.grow(1)
	}
	v := &s.rest[0]
	s.rest = s.rest[1:]
	return v
}

// Some returns an empty slice with room for n of them.
func (s *Slab[T]) Some(n int) []T {
	if len(s.rest) < n {
		s.grow(n)
	}
	list := s.rest[:0:n]
	s.rest = s.rest[n:]
	return list
}

// grow makes room for n at least. The first chunks are small, for small
// configurations.
func (s *Slab[T]) grow(n int) {
	most := max(1, room/max(1, int(reflect.TypeFor[T]().Size())))
	s.size = min(max(2*s.size, 4), most)
	s.rest = make([]T, max(s.size, n))
}

// Append is append, for lists of which there are few, and long ones: these
// double.
func Append[T any](list []T, v T) []T {
	if n := len(list); n == cap(list) {
		list = append(make([]T, 0, max(2*n, 4)), list...)
	}
	return append(list, v)
}
