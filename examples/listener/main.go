//go:build unix

// Listener is an event listener: Supervisor, or procmgr, starts it and sends it
// what happens. It writes a line to standard error for each program that ends
// when it should not, or cannot be started.
//
//	[eventlistener:watch]
//	command=/usr/local/bin/listener
//	events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := listen(os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "listener:", err)
		os.Exit(1)
	}
}

// listen speaks the protocol until its input ends: it says that it is ready,
// gets one event, a line of fields and as many bytes as they say, and answers
// with a result. Whatever else it wrote to out would end it.
func listen(in io.Reader, out, report io.Writer) error {
	for events := bufio.NewReader(in); ; {
		if _, err := io.WriteString(out, "READY\n"); err != nil {
			return err
		}
		line, err := events.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		} else if err != nil {
			return err
		}
		header := fields(line)
		size, err := strconv.Atoi(header["len"])
		if err != nil || size < 0 {
			return fmt.Errorf("the header %q has no length", line)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(events, payload); err != nil {
			return err
		}
		e := fields(string(payload))
		switch {
		case header["eventname"] == "PROCESS_STATE_FATAL":
			fmt.Fprintf(report, "%s:%s cannot be started\n", e["groupname"], e["processname"])
		case header["eventname"] == "PROCESS_STATE_EXITED" && e["expected"] == "0":
			fmt.Fprintf(report, "%s:%s, which was process %s, has ended\n", e["groupname"], e["processname"], e["pid"])
		}
		// "FAIL" would have it sent again.
		if _, err := io.WriteString(out, "RESULT 2\nOK"); err != nil {
			return err
		}
	}
}

// fields reads "name:value name:value".
func fields(text string) map[string]string {
	m := map[string]string{}
	for _, f := range strings.Fields(text) {
		name, value, _ := strings.Cut(f, ":")
		m[name] = value
	}
	return m
}
