package document

import "reflect"

// Field is one key of a mapping that Decode reads into a struct.
type Field struct {
	Key      string
	Required bool // the key must be there
	Scalar   bool // a text that may be written as a number too
	// Index leads to the field, through the structs whose keys stand among
	// these: for reflect.Type.FieldByIndex.
	Index []int
}

// Fields returns the keys that Decode reads into a struct of this type, in the
// order of its fields. It is for what is generated from the struct: the JSON
// Schema and the reference.
func Fields(t reflect.Type) []Field {
	s := shapeOf(t)
	all := make([]Field, len(s.keys))
	for i, key := range s.keys {
		f := s.fields[key]
		all[i] = Field{Key: key, Required: f.required, Scalar: f.scalar, Index: f.index}
	}
	return all
}

// Decodes says whether values of the type read themselves, by a DecodeValue of
// their own.
func Decodes(t reflect.Type) bool { return reflect.PointerTo(t).Implements(decoderType) }
