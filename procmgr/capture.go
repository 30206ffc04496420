package procmgr

import "bytes"

// A program writes what it has to say to event listeners between these.
const (
	captureBegin = "<!--XSUPERVISOR:BEGIN-->"
	captureEnd   = "<!--XSUPERVISOR:END-->"
)

// A capture divides the output of a program into what is for its log and what
// is for listeners: supervisor.dispatchers.POutputDispatcher. It differs in
// that it holds back nothing but what may be the beginning of a tag, and not
// all that is shorter than one.
type capture struct {
	max  int64 // bytes kept of a message: the last ones
	log  func([]byte)
	send func([]byte)

	inside  bool
	message []byte
	held    []byte // the beginning of a tag, perhaps
}

// write takes in what was read. It calls log and send in the order of the
// output; what they get is theirs only until they return.
func (c *capture) write(b []byte) {
	if len(c.held) > 0 {
		b = append(c.held, b...)
		c.held = nil
	}
	for {
		tag := captureBegin
		if c.inside {
			tag = captureEnd
		}
		before, after, found := bytes.Cut(b, []byte(tag))
		if !found {
			n := len(b) - partial(b, tag)
			c.put(b[:n])
			c.held = bytes.Clone(b[n:])
			return
		}
		c.put(before)
		if c.inside {
			c.send(c.message)
			c.message = nil
		}
		c.inside = !c.inside
		b = after
	}
}

// end returns how many bytes of a message were written that has no end.
func (c *capture) end() (lost int) {
	held := c.held
	c.held = nil
	c.put(held)
	return len(c.message)
}

func (c *capture) put(b []byte) {
	switch {
	case len(b) == 0:
	case !c.inside:
		c.log(b)
	default:
		c.message = append(c.message, b...)
		if over := int64(len(c.message)) - c.max; over > 0 {
			c.message = append(c.message[:0], c.message[over:]...)
		}
	}
}

// partial returns the length of the beginning of tag that b ends with.
func partial(b []byte, tag string) int {
	for n := min(len(b), len(tag)-1); n > 0; n-- {
		if string(b[len(b)-n:]) == tag[:n] {
			return n
		}
	}
	return 0
}

// ansi takes the colours out of output: supervisor.dispatchers.stripEscapes.
// It differs in that an escape may be divided between two reads.
type ansi struct {
	escape bool // within an escape
	half   bool // the last byte was ESC
}

// end returns what strip has held back.
func (a *ansi) end() []byte {
	if !a.half {
		return nil
	}
	a.half = false
	return []byte{0x1b}
}

// strip returns b without escapes, in memory of its own if there were any.
func (a *ansi) strip(b []byte) []byte {
	if !a.escape && !a.half && bytes.IndexByte(b, 0x1b) < 0 {
		return b
	}
	out := make([]byte, 0, len(b)+1)
	for _, c := range b {
		switch {
		case a.escape:
			a.escape = bytes.IndexByte([]byte("HfABCDRsuJKhlpm"), c) < 0
		case a.half && c == '[':
			a.half, a.escape = false, true
		case c == 0x1b:
			if a.half {
				out = append(out, 0x1b)
			}
			a.half = true
		case a.half:
			a.half = false
			out = append(out, 0x1b, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
