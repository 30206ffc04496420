package value

import (
	"errors"
	"fmt"
	"strings"
)

// A Return is the arguments of a return directive.
type Return struct {
	Status int    // 0 to 999
	Text   string // a URL if IsRedirect, else a body; variables are not replaced
}

// IsRedirect tells whether Text becomes the Location header: with 301, 302,
// 303, 307 and 308.
func (r Return) IsRedirect() bool {
	switch r.Status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// ParseReturn reads the arguments of a return directive: a status, a status
// and a text, or a URL alone, which is a redirect with 302 if it starts with
// "http://", "https://" or "$scheme".
func ParseReturn(args ...string) (Return, error) {
	if len(args) != 1 && len(args) != 2 {
		return Return{}, errors.New(`invalid number of arguments in "return" directive`)
	}
	r := Return{}
	if n, ok := number(args[0]); ok && n <= 999 {
		r.Status = int(n)
		if len(args) == 2 {
			r.Text = args[1]
		}
	} else if !ok && len(args) == 1 && isURL(args[0]) {
		r.Status, r.Text = 302, args[0]
	} else {
		return Return{}, fmt.Errorf(`invalid return code "%s"`, args[0])
	}
	for _, err := range Parts(r.Text) {
		if err != nil {
			return Return{}, err
		}
	}
	return r, nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "$scheme")
}
