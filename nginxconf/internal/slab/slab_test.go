package slab

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestValuesAreDistinctAndZero(t *testing.T) {
	var s Slab[[3]int]
	seen := map[*[3]int]bool{}
	for range 10_000 {
		v := s.New()
		assert.Zero(t, *v)
		assert.False(t, seen[v])
		seen[v] = true
		v[0] = 1
	}
}

func TestSomeDoesNotReachIntoTheNext(t *testing.T) {
	var s Slab[int]
	a, b := s.Some(3), s.Some(100_000)
	assert.Equal(t, 3, cap(a))
	assert.Equal(t, 100_000, cap(b))
	a = append(a, 1, 2, 3)
	c := s.Some(3)
	_ = append(a, 4)
	assert.Equal(t, []int{0, 0, 0}, c[:3])
}

func TestALargeConfigurationTakesFewAllocations(t *testing.T) {
	n := testing.AllocsPerRun(10, func() {
		var s Slab[[8]int]
		for range 100_000 {
			s.New()
		}
	})
	assert.Less(t, n, 250.0)
}
