package main

import (
	"regexp"
	"slices"

	"github.com/meshassay/assay/runner/document"
)

// An author who breaks a rule about several keys sees its errorMessage, at the key
// that is too much or, when one is missing, at the mapping. Why not simply oneOf
// of several "required": an editor then says of any mistake below that several
// schemas match, or none, and offers the keys of one of them only.

// relations are the rules about which keys go together.
func relations(m *mapping) []*schema {
	var all []*schema
	for _, k := range m.keys {
		group := []string{k.name}
		for _, other := range m.keys {
			if other.or == k.name {
				group = append(group, other.name)
			}
		}
		if len(group) > 1 {
			all = append(all, exactlyOne(group, "want exactly one of "+document.And(group)))
		}
		for _, c := range k.without {
			all = append(all, &schema{If: c.schema(), Then: forbidden([]string{k.name}, "want either "+k.name+" or "+c.words()+", not both")})
		}
		if len(k.with) > 0 {
			all = append(all, together(k))
		}
	}
	return append(all, unless(m)...)
}

// exactlyOne demands one of the keys and refuses those after the first that is
// there.
func exactlyOne(keys []string, message string) *schema {
	if len(keys) == 1 {
		return &schema{Required: keys, ErrorMessage: message}
	}
	s := &schema{If: &schema{Required: keys[:1]}, Then: forbidden(keys[1:], message)}
	s.Else = exactlyOne(keys[1:], message)
	return s
}

func forbidden(keys []string, message string) *schema {
	s := &schema{ErrorMessage: message}
	for _, name := range keys {
		s.add(name, never)
	}
	return s
}

// together demands one of the conditions of a key, when the key is there.
func together(k *key) *schema {
	var words []string
	then := &schema{}
	for _, c := range k.with {
		words = append(words, c.words())
	}
	message := k.name + " is only of use with " + or(words)
	if k.required {
		message = "want at least one of " + document.And(words)
	}
	for _, c := range k.with {
		one := c.schema()
		one.ErrorMessage = message
		then.AnyOf = append(then.AnyOf, one)
	}
	if len(then.AnyOf) == 1 {
		then = then.AnyOf[0]
	}
	return &schema{If: &schema{Required: []string{k.name}}, Then: then}
}

// unless demands the keys that only another makes dispensable.
func unless(m *mapping) []*schema {
	var all []*schema
	var others []string
	for _, k := range m.keys {
		if k.unless != "" && !slices.Contains(others, k.unless) {
			others = append(others, k.unless)
		}
	}
	for _, other := range others {
		var demanded []string
		for _, k := range m.keys {
			if k.unless == other {
				demanded = append(demanded, k.name)
			}
		}
		all = append(all, &schema{If: &schema{Required: []string{other}}, Else: &schema{
			Required: demanded, ErrorMessage: "want either " + other + ", or " + document.And(demanded)}})
	}
	return all
}

func (c condition) schema() *schema {
	s := &schema{Required: []string{c.key}}
	if c.value != "" {
		s.add(c.key, &schema{Const: c.value})
	}
	return s
}

func (c condition) words() string {
	if c.value != "" {
		return c.key + ": " + c.value
	}
	return c.key
}

func matches(f *form, words string) bool {
	return f != nil && regexp.MustCompile(f.pattern).MatchString(words)
}
