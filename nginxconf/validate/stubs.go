package validate

import (
	"github.com/onehost-go/onehost/nginxconf/directive"
)

func opens(f *directive.Form) reader {
	switch {
	case f.Opens != 0:
		return readBlock
	case f.Block:
		return readFree
	}
	return nil
}
