package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// A screen prints what a person reads.
type screen struct {
	w      io.Writer
	colour bool
	step   int
}

// newScreen colours only what goes to a terminal, and not if NO_COLOR is set
// (no-color.org).
func newScreen(w io.Writer, getenv func(string) string) *screen {
	s := &screen{w: w}
	if f, ok := w.(*os.File); ok && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" {
		info, err := f.Stat()
		s.colour = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) faint(text string) string { return s.paint("2", text) }
func (s *screen) red(text string) string   { return s.paint("31", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
func (s *screen) amber(text string) string { return s.paint("33", text) }

func (s *screen) title(text string) { fmt.Fprintln(s.w, s.bold(text)) }

func (s *screen) blank() { fmt.Fprintln(s.w) }

// heading starts a step, with the packages that do it.
func (s *screen) heading(what, packages string) {
	s.step++
	fmt.Fprintf(s.w, "\n%s  %s\n", s.bold(fmt.Sprintf("%d. %s", s.step, what)), s.faint(packages))
}

func (s *screen) line(format string, args ...any) { fmt.Fprintf(s.w, format+"\n", args...) }

func (s *screen) item(format string, args ...any) { s.line("   "+format, args...) }

func (s *screen) ok(format string, args ...any) {
	s.item("%s %s", s.green("✓"), fmt.Sprintf(format, args...))
}

func (s *screen) warn(format string, args ...any) {
	s.item("%s %s", s.amber("!"), fmt.Sprintf(format, args...))
}

func (s *screen) bad(format string, args ...any) {
	s.item("%s %s", s.red("✗"), fmt.Sprintf(format, args...))
}

func (s *screen) failed(err error) {
	s.blank()
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 {
			s.line("%s %s", s.red("failed:"), line)
		} else {
			s.line("        %s", line)
		}
	}
}

// diff prints the lines that differ, of texts with as many lines.
func (s *screen) diff(before, after string) {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			s.item("  %s", s.red("- "+strings.TrimSuffix(was[i], "\r")))
			s.item("  %s", s.green("+ "+strings.TrimSuffix(is[i], "\r")))
		}
	}
}
