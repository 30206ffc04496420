package examples_test

import (
	"encoding/json"
	"errors"
	"go/token"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/supervisorconf"
)

// What a program that mixes the packages needs to know of a finding.
type finding interface {
	error
	Position() token.Position
	json.Marshaler
}

// The packages share no type, so each has its own Diagnostic. These must look
// and behave as nginxconf's do.
var twins = map[string]struct{ diagnostic, diagnostics, fix, edit reflect.Type }{
	"supervisorconf": {
		reflect.TypeFor[supervisorconf.Diagnostic](), reflect.TypeFor[supervisorconf.Diagnostics](),
		reflect.TypeFor[supervisorconf.Fix](), reflect.TypeFor[supervisorconf.Edit](),
	},
	"portmap": {
		reflect.TypeFor[portmap.Diagnostic](), reflect.TypeFor[portmap.Diagnostics](),
		reflect.TypeFor[portmap.Fix](), reflect.TypeFor[portmap.Edit](),
	},
}

var (
	_ finding = (*nginxconf.Diagnostic)(nil)
	_ finding = (*supervisorconf.Diagnostic)(nil)
	_ finding = (*portmap.Diagnostic)(nil)
)

// shape lists the fields and methods of a type, without its package's name.
func shape(typ reflect.Type) []string {
	pkg := typ.PkgPath()[strings.LastIndex(typ.PkgPath(), "/")+1:] + "."
	list := []string{typ.Name() + " " + typ.Kind().String()}
	if typ.Kind() == reflect.Slice {
		list = append(list, "of "+typ.Elem().String())
	} else {
		for f := range typ.Fields() {
			list = append(list, "field "+f.Name+" "+f.Type.String()+" "+string(f.Tag))
		}
	}
	for _, receiver := range []reflect.Type{typ, reflect.PointerTo(typ)} {
		for m := range receiver.Methods() {
			list = append(list, "method "+m.Name+" "+m.Type.String())
		}
	}
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], pkg, "")
	}
	return list
}

// as copies src, of a type of nginxconf, into a new value of the twin typ.
func as(src reflect.Value, typ reflect.Type) reflect.Value {
	if src.Type() == typ {
		return src
	}
	dst := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.Pointer:
		dst.Set(as(src.Elem(), typ.Elem()).Addr())
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(typ, src.Len(), src.Len()))
		for i := range src.Len() {
			dst.Index(i).Set(as(src.Index(i), typ.Elem()))
		}
	case reflect.Struct:
		for i := range src.NumField() {
			dst.Field(i).Set(as(src.Field(i), typ.Field(i).Type))
		}
	default:
		panic("no twin of " + src.Type().String())
	}
	return dst
}

func TestTwinsHaveOneShape(t *testing.T) {
	for name, twin := range twins {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, shape(reflect.TypeFor[nginxconf.Diagnostic]()), shape(twin.diagnostic))
			assert.Equal(t, shape(reflect.TypeFor[nginxconf.Diagnostics]()), shape(twin.diagnostics))
			assert.Equal(t, shape(reflect.TypeFor[nginxconf.Fix]()), shape(twin.fix))
			assert.Equal(t, shape(reflect.TypeFor[nginxconf.Edit]()), shape(twin.edit))
		})
	}
}

func TestTwinsPrintAlike(t *testing.T) {
	at := func(file string, line int) token.Position {
		return token.Position{Filename: file, Offset: 10 * line, Line: line, Column: 3}
	}
	all := nginxconf.Diagnostics{
		{Start: at("b", 2), End: at("b", 3), Level: slog.LevelError, Code: "port-shared", Message: `"a" & <b> share é`, Fixes: []nginxconf.Fix{
			{Message: "use 7072", Edits: []nginxconf.Edit{{Start: at("b", 2), End: at("b", 2), NewText: "7072\n"}, {Start: at("b", 3), End: at("b", 3)}}},
			{Message: "leave it"},
		}},
		{Start: at("b", 1), Level: slog.LevelWarn, Message: "no code"},
		{Start: at("a", 7), Level: slog.LevelInfo, Code: "first", Message: "advice"},
		{Start: at("b", 1), Level: slog.LevelError, Message: "graver, so first at its place"},
		{Start: token.Position{Filename: "a"}, Level: slog.LevelWarn + 1, Message: "a file, no line"},
		{Message: "no place"},
	}
	for name, twin := range twins {
		t.Run(name, func(t *testing.T) {
			want := append(nginxconf.Diagnostics(nil), all...)
			got := as(reflect.ValueOf(want), twin.diagnostics)
			want.Sort()
			sorter, ok := got.Interface().(interface{ Sort() })
			require.True(t, ok)
			sorter.Sort()
			require.Equal(t, len(want), got.Len())
			for i, w := range want {
				g, ok := got.Index(i).Interface().(finding)
				require.True(t, ok)
				assert.Equal(t, w.Error(), g.Error())
				assert.Equal(t, w.Position(), g.Position())
				wantJSON, err := w.MarshalJSON() // json.Marshal would level out what is escaped
				require.NoError(t, err)
				gotJSON, err := g.MarshalJSON()
				require.NoError(t, err)
				assert.Equal(t, string(wantJSON), string(gotJSON))
			}

			assert.Equal(t, want.Error(), got.Interface().(error).Error())
			assert.Len(t, got.Interface().(interface{ Unwrap() []error }).Unwrap(), len(want))
			first := reflect.New(reflect.PointerTo(twin.diagnostic))
			assert.True(t, errors.As(got.Interface().(error), first.Interface()))
			assert.Equal(t, got.Index(0).Interface(), first.Elem().Interface())

			type failing interface{ Err() error }
			assert.Error(t, got.Interface().(failing).Err())
			for i := range got.Len() { // without its errors, a list is no error
				got.Index(i).Elem().FieldByName("Level").Set(reflect.ValueOf(slog.LevelWarn))
			}
			assert.NoError(t, got.Interface().(failing).Err())
		})
	}
}
