package rpc

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/onehost-go/onehost/procmgr"
)

// A structure is an XML-RPC struct whose members stay in order: replies look
// like supervisord's.
type structure []member

type member struct {
	name  string
	value any
}

// What is encoded is a <value> that was written before.
type encoded []byte

const xmlHead = "<?xml version='1.0'?>\n"

// appendCall writes a request, byte for byte as Python's xmlrpc.client.dumps.
func appendCall(b []byte, method string, args []any) ([]byte, error) {
	b = append(b, xmlHead+"<methodCall>\n<methodName>"...)
	b = appendText(b, method)
	b = append(b, "</methodName>\n<params>\n"...)
	for _, arg := range args {
		b = append(b, "<param>\n"...)
		var err error
		if b, err = appendValue(b, arg); err != nil {
			return nil, err
		}
		b = append(b, "</param>\n"...)
	}
	return append(b, "</params>\n</methodCall>\n"...), nil
}

// appendReply writes a response with its one value.
func appendReply(b []byte, value any) ([]byte, error) {
	b = append(b, xmlHead+"<methodResponse>\n<params>\n<param>\n"...)
	b, err := appendValue(b, value)
	if err != nil {
		return nil, err
	}
	return append(b, "</param>\n</params>\n</methodResponse>\n"...), nil
}

func appendFault(b []byte, f *Fault) []byte {
	b = append(b, xmlHead+"<methodResponse>\n<fault>\n"...)
	b, _ = appendValue(b, f.structure()) // an int and a string
	return append(b, "</fault>\n</methodResponse>\n"...)
}

// appendValue writes a <value>. There is no value for nil, nor for what is not
// in the switch.
func appendValue(b []byte, value any) (_ []byte, err error) {
	switch v := value.(type) {
	case int:
		return appendValue(b, int64(v))
	case int64:
		b = append(b, "<value><int>"...)
		b = strconv.AppendInt(b, v, 10)
		return append(b, "</int></value>\n"...), nil
	case bool:
		if v {
			return append(b, "<value><boolean>1</boolean></value>\n"...), nil
		}
		return append(b, "<value><boolean>0</boolean></value>\n"...), nil
	case string:
		b = append(b, "<value><string>"...)
		b = appendText(b, v)
		return append(b, "</string></value>\n"...), nil
	case []byte:
		b = append(b, "<value><base64>\n"...)
		b = base64.StdEncoding.AppendEncode(b, v)
		return append(b, "\n</base64></value>\n"...), nil
	case float64:
		b = append(b, "<value><double>"...)
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
		return append(b, "</double></value>\n"...), nil
	case time.Time:
		b = append(b, "<value><dateTime.iso8601>"...)
		b = v.AppendFormat(b, dateTime)
		return append(b, "</dateTime.iso8601></value>\n"...), nil
	case structure:
		b = append(b, "<value><struct>\n"...)
		for _, m := range v {
			if b, err = appendMember(b, m.name, m.value); err != nil {
				return nil, err
			}
		}
		return append(b, "</struct></value>\n"...), nil
	case map[string]any:
		b = append(b, "<value><struct>\n"...)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if b, err = appendMember(b, name, v[name]); err != nil {
				return nil, err
			}
		}
		return append(b, "</struct></value>\n"...), nil
	case []any:
		return appendArray(b, v)
	case []string:
		return appendArray(b, v)
	case []int:
		return appendArray(b, v)
	case []structure:
		return appendArray(b, v)
	case []procmgr.Status:
		return appendArray(b, v)
	case procmgr.Status:
		return appendStatus(b, v), nil
	case encoded:
		return append(b, v...), nil
	}
	return nil, fmt.Errorf("rpc: XML-RPC has no value for a %T", value)
}

const dateTime = "20060102T15:04:05"

func appendMember(b []byte, name string, value any) ([]byte, error) {
	b = append(b, "<member>\n<name>"...)
	b = appendText(b, name)
	b = append(b, "</name>\n"...)
	b, err := appendValue(b, value)
	return append(b, "</member>\n"...), err
}

func appendArray[T any](b []byte, list []T) (_ []byte, err error) {
	b = append(b, "<value><array><data>\n"...)
	for _, v := range list {
		if b, err = appendValue(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, "</data></array></value>\n"...), nil
}

// appendText writes s such that every XML parser takes it. XML has no way to
// say most control characters, nor bytes that are not UTF-8: they become
// U+FFFD. (supervisord writes the former as they are, so that the client's
// parser fails, and answers the latter with HTTP status 500.) A carriage return
// is escaped, or parsers would make a line feed of it.
func appendText(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		escaped := ""
		switch {
		case c == '&':
			escaped = "&amp;"
		case c == '<':
			escaped = "&lt;"
		case c == '>':
			escaped = "&gt;"
		case c == '\r':
			escaped = "&#13;"
		case r == utf8.RuneError && size == 1 || !isXML(r):
			escaped = "\uFFFD"
		default:
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = append(b, escaped...)
		i += size
		start = i
	}
	return append(b, s[start:]...)
}

// plain are the bytes that stand for themselves, whatever comes next.
var plain = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' || c == '\n' || c == '\t'
	}
	return plain
}()

// isXML reports whether r is a Char of XML 1.0.
func isXML(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r >= 0xD800 && r <= 0xDFFF, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return r <= utf8.MaxRune
}
