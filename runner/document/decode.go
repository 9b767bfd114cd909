package document

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Decoder is implemented (on the pointer) by types that read themselves: a text
// with a unit, a value that is written in two ways.
type Decoder interface {
	DecodeValue(v Value) Mistakes
}

var (
	decoderType = reflect.TypeFor[Decoder]()
	valueType   = reflect.TypeFor[Value]()
	// plainMapType is read as an any is, down to the rules for its keys.
	plainMapType = reflect.TypeFor[map[string]any]()
)

// Decode stores the value in what into points to, and returns everything that
// does not fit, each at its place; what does fit is stored all the same.
//
//   - A struct takes a mapping. Its fields carry `yaml:"name"`, with ",required" for a
//     key that must be there, ",scalar" for a string that may be written as a number
//     too (a port), ",inline" for a struct whose keys stand among these, and
//     `yaml:",self"` for a Value that is to receive the struct's own cursor. A field
//     without a tag, or with `yaml:"-"`, is not read. A key of the file that no
//     field names is a mistake.
//   - A map with string keys takes a mapping, a slice takes a list, a pointer takes
//     what it points to.
//   - A string takes a text: what looks like a number or a bool must be quoted.
//   - A bool, an integer and a float take their kind in range and nothing else.
//   - A Value takes the cursor as it is; a Decoder reads itself.
//   - An any takes plain data: map[string]any, []any, string, bool, int64, float64,
//     nil, as Kubernetes objects are made of.
//
// A value that is given as nothing ("labels:") is a mistake everywhere but in Value,
// Decoder and any. Other types are a fault of the program, and panic.
func (v Value) Decode(into any) Mistakes {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic(fmt.Sprintf("document: Decode into %T, want a pointer", into))
	}
	var d decoder
	if !v.Exists() {
		d.add(v.Mistake("is missing"))
		return d.mistakes
	}
	d.decode(v, target.Elem(), false)
	return Sort(d.mistakes)
}

type decoder struct{ mistakes Mistakes }

func (d *decoder) add(ms ...Mistake) { d.mistakes = append(d.mistakes, ms...) }

// decode stores v in into. Scalar says that a string may be written as a number.
func (d *decoder) decode(v Value, into reflect.Value, scalar bool) {
	if into.Type() == valueType {
		into.Set(reflect.ValueOf(v))
		return
	}
	if v.Refused() {
		return
	}
	if Decodes(into.Type()) {
		d.add(into.Addr().Interface().(Decoder).DecodeValue(v)...)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(v, into.Elem(), scalar)
	case reflect.Interface:
		if plain := d.plain(v); plain != nil {
			into.Set(reflect.ValueOf(plain))
		}
	case reflect.Struct:
		d.decodeStruct(v, into)
	case reflect.Map:
		d.decodeMap(v, into)
	case reflect.Slice:
		d.decodeSlice(v, into)
	default:
		d.decodeScalar(v, into, scalar)
	}
}

func (d *decoder) decodeSlice(v Value, into reflect.Value) {
	if v.Kind() != Sequence {
		m := v.want("a list")
		if v.Kind() == Scalar {
			entries := strings.FieldsFunc(v.Text(), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
			m = m.WithHint("write [" + shorten(strings.Join(entries, ", ")) + "]")
		} else if v.Kind() == Mapping {
			m = m.WithHint("begin each entry with \"- \"")
		}
		d.add(m)
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), v.Len(), v.Len()))
	for i := range v.Len() {
		d.decode(v.Index(i), into.Index(i), false)
	}
}

func (d *decoder) decodeMap(v Value, into reflect.Value) {
	if v.Kind() != Mapping {
		d.add(v.want("a mapping"))
		return
	}
	if into.Type() == plainMapType {
		into.Set(reflect.ValueOf(d.plain(v)))
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for key, entry := range v.Entries() {
		slot := reflect.New(into.Type().Elem()).Elem()
		d.decode(entry, slot, false)
		into.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), slot)
	}
}

func (d *decoder) decodeScalar(v Value, into reflect.Value, scalar bool) {
	switch into.Kind() {
	case reflect.String:
		if text, ok := d.text(v, scalar); ok {
			into.SetString(text)
		}
	case reflect.Bool:
		d.decodeBool(v, into)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d.decodeWhole(v, into)
	case reflect.Float32, reflect.Float64:
		d.decodeFloat(v, into)
	default:
		panic(fmt.Sprintf("document: cannot decode into %s", into.Type()))
	}
}

// text reads a text. Scalar says that it may be written as a number.
func (d *decoder) text(v Value, scalar bool) (string, bool) {
	if v.Kind() != Scalar {
		d.add(v.want("a text"))
		return "", false
	}
	switch meaningOf(v.node) {
	case isText:
		return v.Text(), true
	case isWhole:
		if scalar {
			return v.Text(), true
		}
	case isOldBool:
		d.add(v.Mistake("want a text, and %s could be read as %s", v.Text(), boolWord(v.Text())).WithHint("quote it: " + Quote(v.Text())))
		return "", false
	}
	d.add(v.want("a text").WithHint("quote it: " + Quote(v.Text())))
	return "", false
}

func (d *decoder) decodeBool(v Value, into reflect.Value) {
	text := v.Text()
	if v.Kind() == Scalar && meaningOf(v.node) == isBool {
		into.SetBool(strings.EqualFold(text, "true"))
		return
	}
	m := v.want("true or false")
	switch {
	case v.Kind() == Scalar && oldBool.MatchString(text):
		m = m.WithHint("write " + boolWord(text))
	case v.Kind() == Scalar && trueOrFalse.MatchString(text):
		m = m.WithHint("without the quotes")
	}
	d.add(m)
}

func (d *decoder) decodeWhole(v Value, into reflect.Value) {
	const what = "a whole number"
	if v.Kind() != Scalar || meaningOf(v.node) != isWhole {
		m := v.want(what)
		switch {
		case v.Kind() == Scalar && meaningOf(v.node) == isZeroNumber:
			m = v.leadingZero()
		case v.Kind() == Scalar && !isPlain(v.node) && wholeNumber.MatchString(v.Text()):
			m = m.WithHint("without the quotes")
		}
		d.add(m)
		return
	}
	n, err := parseWhole(v.Text())
	unsigned := into.CanUint()
	switch {
	case unsigned && n < 0:
		d.add(v.want(what + " that is not negative"))
	case err != nil || !unsigned && into.OverflowInt(n) || unsigned && into.OverflowUint(uint64(n)):
		d.add(v.Mistake("the number %s is out of range", shorten(v.Text())))
	case unsigned:
		into.SetUint(uint64(n))
	default:
		into.SetInt(n)
	}
}

func (d *decoder) decodeFloat(v Value, into reflect.Value) {
	if v.Kind() == Scalar {
		if m := meaningOf(v.node); m == isWhole || m == isBroken {
			if f, err := parseFloat(v.Text()); err == nil {
				into.SetFloat(f)
				return
			}
		}
	}
	m := v.want("a number")
	if v.Kind() == Scalar && !isPlain(v.node) && broken.MatchString(v.Text()) {
		m = m.WithHint("without the quotes")
	}
	d.add(m)
}

// plain returns a value as plain data, as a Kubernetes object is made of.
func (d *decoder) plain(v Value) any {
	if v.Refused() {
		return nil
	}
	switch v.Kind() {
	case Mapping:
		data := make(map[string]any, v.Len())
		for key, entry := range v.Entries() {
			if isPlain(entry.key) && meaningOf(entry.key) == isOldBool {
				d.add(entry.KeyMistake("the key %s could be read as %s or as a text", key, boolWord(key)).WithHint("quote it: " + Quote(key)))
			}
			data[key] = d.plain(entry)
		}
		return data
	case Sequence:
		data := make([]any, v.Len())
		for i := range data {
			data[i] = d.plain(v.Index(i))
		}
		return data
	case Scalar:
		return d.plainScalar(v)
	}
	return nil
}

func (d *decoder) plainScalar(v Value) any {
	if m, ok := v.ambiguous(); ok {
		d.add(m)
		return nil
	}
	switch meaningOf(v.node) {
	case isBool:
		return strings.EqualFold(v.Text(), "true")
	case isWhole:
		if n, err := parseWhole(v.Text()); err == nil {
			return n
		}
		d.add(v.Mistake("the number %s is too large", shorten(v.Text())).WithHint("quote it if it is a text"))
		return nil
	case isBroken:
		if f, err := parseFloat(v.Text()); err == nil {
			return f
		}
	case isText:
		return v.Text()
	}
	d.add(v.Mistake("%s is not a number that JSON has", shorten(v.Text())).WithHint("quote it if it is a text"))
	return nil
}

// field is what a struct's tags say of one key.
type field struct {
	index    []int
	required bool
	scalar   bool
}

// shape is what a struct takes; made once for each type.
type shape struct {
	keys   []string // in the order of the fields
	fields map[string]field
	self   [][]int
}

var shapes sync.Map // reflect.Type -> *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{fields: map[string]field{}}
	s.collect(t, nil)
	shapes.Store(t, s)
	return s
}

func (s *shape) collect(t reflect.Type, above []int) {
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		options := strings.Split(rest, ",")
		index := append(slices.Clone(above), i)
		switch {
		case slices.Contains(options, "inline"):
			s.collect(t.Field(i).Type, index)
		case slices.Contains(options, "self"):
			s.self = append(s.self, index)
		case name == "" || s.fields[name].index != nil:
			panic(fmt.Sprintf("document: field %s of %s needs a name of its own", t.Field(i).Name, t))
		default:
			s.keys = append(s.keys, name)
			s.fields[name] = field{index, slices.Contains(options, "required"), slices.Contains(options, "scalar")}
		}
	}
}

func (d *decoder) decodeStruct(v Value, into reflect.Value) {
	s := shapeOf(into.Type())
	for _, index := range s.self {
		into.FieldByIndex(index).Set(reflect.ValueOf(v))
	}
	if v.Kind() != Mapping {
		m := v.want("a mapping")
		switch n := min(len(s.keys), maxListed); {
		case n == 1:
			m = m.WithHint("its key is " + s.keys[0])
		case n > 1:
			m = m.WithHint("its keys are " + And(s.keys[:n]))
		}
		d.add(m)
		return
	}
	given := map[string]bool{}
	for key := range v.Entries() {
		given[key] = true
	}
	meant := map[string]bool{} // keys that a misspelt one stands for: not missing too
	for key, entry := range v.Entries() {
		if f, ok := s.fields[key]; ok {
			d.decode(entry, into.FieldByIndex(f.index), f.scalar)
			continue
		}
		d.add(entry.KeyMistake("unknown key").WithHint(s.suggest(key, entry, given, meant)))
	}
	missing := slices.DeleteFunc(slices.Clone(s.keys), func(key string) bool {
		return !s.fields[key].required || given[key] || meant[key]
	})
	if len(missing) == 1 {
		d.add(v.KeyMistake("the key %s is missing", missing[0]))
	} else if len(missing) > 1 {
		d.add(v.KeyMistake("the keys %s are missing", And(missing)))
	}
}

// suggest is the hint for an unknown key: a key that is not given yet is more likely
// meant than one that is. Keys of this mapping may also stand one level too deep,
// as in metadata: {name: x}. It notes which ones it took the key for.
func (s *shape) suggest(key string, entry Value, given, meant map[string]bool) string {
	free := slices.DeleteFunc(slices.Clone(s.keys), func(k string) bool { return given[k] })
	if near := nearest(key, free); near != "" {
		meant[near] = true
		return "did you mean " + near + "?"
	}
	var deep []string
	for inner := range entry.Entries() {
		if slices.Contains(free, inner) {
			meant[inner] = true
			deep = append(deep, inner)
		}
	}
	if len(deep) > 0 {
		return "write " + And(deep) + " without " + key + " around it"
	}
	return OneOf(key, s.keys)
}
