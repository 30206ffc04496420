package acl

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// A geoRange is the part of a range that lies in one /16: nginx keeps ranges
// so, and compares these parts with each other, not the ranges.
type geoRange struct {
	start, end uint16
	entry      int
}

func (b *GeoBuilder) addRange(entry int, name, value string) (warnings []string, err error) {
	if name == "default" {
		if b.deflt > 0 {
			old := b.values[b.deflt-1]
			warnings = []string{warning(`duplicate default geo range value: "` + value + `", old value: "` + old + `"`)}
		}
		b.values[entry], b.deflt = value, entry+1
		return warnings, nil
	}
	text := name
	if name == "delete" {
		text = value
	}
	first, last, ok := parseRange(text)
	if !ok {
		return nil, refusal(`invalid range "` + text + `"`)
	}
	if b.slices == nil {
		b.slices = map[uint16][]geoRange{}
	}
	if name == "delete" {
		if !b.removeRange(first, last) {
			warnings = []string{warning(`no address range "` + text + `" to delete`)}
		}
		return warnings, nil
	}
	b.values[entry] = value
	for high := first >> 16; high <= last>>16; high++ {
		warn, err := b.insert(uint16(high), part(high, first, last, entry), text)
		if err != nil {
			return warnings, err
		}
		if warn != "" {
			warnings = append(warnings, warn)
		}
	}
	return warnings, nil
}

// parseRange reads two addresses with "-" between them. 255.255.255.255 is
// none, as elsewhere.
func parseRange(s string) (first, last uint32, ok bool) {
	from, to, _ := strings.Cut(s, "-")
	a, ok := parseIPv4(from)
	z, ok2 := parseIPv4(to)
	if !ok || !ok2 {
		return 0, 0, false
	}
	first, last = uint32Of(a), uint32Of(z)
	return first, last, first <= last
}

func uint32Of(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// part is what of a range lies in a /16.
func part(high, first, last uint32, entry int) geoRange {
	r := geoRange{0, 0xffff, entry}
	if high == first>>16 {
		r.start = uint16(first)
	}
	if high == last>>16 {
		r.end = uint16(last)
	}
	return r
}

// insert adds a part to those of its /16, which are in order and disjoint. It
// may cut one that it lies in, and repeat one; any other overlap is refused.
func (b *GeoBuilder) insert(high uint16, r geoRange, text string) (warning string, err error) {
	parts := b.slices[high]
	i := sort.Search(len(parts), func(i int) bool { return parts[i].start > r.end }) - 1
	if i < 0 || r.start > parts[i].end {
		b.slices[high] = slices.Insert(parts, i+1, r)
		return "", nil
	}
	old := parts[i]
	switch {
	case r.start == old.start && r.end == old.end:
		warning = b.duplicate("range", text, b.values[r.entry], old.entry)
		parts[i] = r
		return warning, nil
	case r.start < old.start || r.end > old.end:
		at := func(low uint16) string {
			return netip.AddrFrom4([4]byte{byte(high >> 8), byte(high), byte(low >> 8), byte(low)}).String()
		}
		return "", refusal(`range "` + text + `" overlaps "` + at(old.start) + "-" + at(old.end) + `"`)
	}
	cut := []geoRange{r}
	if r.start > old.start {
		cut = []geoRange{{old.start, r.start - 1, old.entry}, r}
	}
	if r.end < old.end {
		cut = append(cut, geoRange{r.end + 1, old.end, old.entry})
	}
	b.slices[high] = slices.Replace(parts, i, i+1, cut...)
	return "", nil
}

// removeRange removes the parts that are exactly those of the range, and
// reports whether all of them were there.
func (b *GeoBuilder) removeRange(first, last uint32) bool {
	all := true
	for high := first >> 16; high <= last>>16; high++ {
		r, parts := part(high, first, last, 0), b.slices[uint16(high)]
		i, found := slices.BinarySearchFunc(parts, r.start, func(p geoRange, start uint16) int { return int(p.start) - int(start) })
		if found && parts[i].end == r.end {
			b.slices[uint16(high)] = slices.Delete(parts, i, i+1)
		} else {
			all = false
		}
	}
	return all
}

// rangeSteps makes a step function of the ranges, in which an entry is a rule.
func (b *GeoBuilder) rangeSteps() steps[uint32] {
	starts, verdicts := []uint32{0}, []verdict{unmatched}
	step := func(start uint32, v verdict) {
		switch n := len(starts) - 1; {
		case starts[n] == start:
			verdicts[n] = v
		case verdicts[n] != v:
			starts, verdicts = append(starts, start), append(verdicts, v)
		}
	}
	highs := make([]uint16, 0, len(b.slices))
	for high := range b.slices {
		highs = append(highs, high)
	}
	slices.Sort(highs)
	for _, high := range highs {
		for _, r := range b.slices[high] {
			step(uint32(high)<<16|uint32(r.start), verdictOf(r.entry, Allow))
			// There is a next address: no range reaches the last one.
			step(uint32(high)<<16+uint32(r.end)+1, unmatched)
		}
	}
	return newSteps(starts, verdicts)
}
