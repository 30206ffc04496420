package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/onehost-go/onehost/portmap"
)

// readTable reads the table, shows what is wrong with it, and mends a copy.
func readTable(o *options, s *screen) (*portmap.Map, error) {
	name, src := "services.md", services
	if o.table != "" {
		var err error
		if src, err = os.ReadFile(o.table); err != nil {
			return nil, err
		}
		name = o.table
	}
	s.heading("Read the table and say what is wrong with it", "portmap")
	doc, err := portmap.ParseMarkdown(name, src)
	if err != nil {
		return nil, err
	}
	m := doc.Map()
	count := map[string]int{}
	for _, service := range m.Services {
		count[service.Environment]++
	}
	summary := ""
	for _, env := range []string{portmap.Production, portmap.Stage} {
		if n := count[env]; n > 0 {
			if summary != "" {
				summary += " and "
			}
			summary += fmt.Sprintf("%d %s", n, env)
		}
	}
	if summary == "" {
		summary = fmt.Sprint(len(m.Services))
	}
	s.item("%s: %s services", name, summary)

	found := doc.Check(nil)
	if len(found) == 0 {
		s.ok("nothing is wrong with it")
		return m, nil
	}
	for _, d := range found {
		if d.Level >= slog.LevelError {
			s.bad("%s", d.Error())
		} else {
			s.warn("%s", d.Error())
		}
	}
	// One fix can settle several findings, so look again after each.
	for range found {
		var fix *portmap.Fix
		for _, d := range doc.Check(nil) {
			if d.Level >= slog.LevelWarn && len(d.Fixes) > 0 {
				fix = &d.Fixes[0]
				break
			}
		}
		if fix == nil {
			break
		}
		if err := doc.Apply(*fix); err != nil {
			return nil, err
		}
	}
	if string(doc.Bytes()) != string(src) {
		s.ok("mended in a copy:")
		s.diff(string(src), string(doc.Bytes()))
	}
	if left := doc.Check(nil); left.Err() != nil {
		return nil, errors.Join(errors.New("the table has faults that a person has to mend"), left)
	}
	return doc.Map(), nil
}
