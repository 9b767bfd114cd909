package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"reflect"
	"strings"
	"text/template"

	"github.com/meshassay/assay/runner/document"
)

//go:embed reference.md.tmpl
var pageText string

// page is docs/reference.md.
func (l *language) page(root string) ([]byte, error) {
	var actions []shownAction
	var making, looking []string
	for _, a := range l.actions {
		example, err := exampleOf(root, a.name)
		if err != nil {
			return nil, err
		}
		if link := "[`" + a.name + "`](#" + a.name + ")"; a.changes {
			making = append(making, link)
		} else {
			looking = append(looking, link)
		}
		actions = append(actions, shownAction{
			Name: a.name, Summary: summary(a.body.doc), Doc: a.body.doc, Example: example, Tables: tables(a.body),
		})
	}
	t, err := template.New("reference.md").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Scenario": tables(l.scenario), "Step": tables(l.step), "Actions": actions, "Making": document.And(making), "Looking": document.And(looking), "Environment": tables(l.environment),
	})
	return b.Bytes(), err
}

// shownAction is one action as the page has it.
type shownAction struct {
	Name, Summary, Doc, Example, Tables string
}

// summary is the first sentence of a description, to be one of a list.
func summary(doc string) string {
	first, _, _ := strings.Cut(doc, ".")
	return strings.ToLower(first[:1]) + first[1:]
}

// tables are the keys of a mapping, and of the mappings in it, in tables.
func tables(m *mapping) string {
	p := printer{shown: map[reflect.Type]string{m.from: "above"}}
	p.table(m)
	return strings.TrimRight(p.b.String(), "\n")
}

// printer prints tables. What it has shown it does not show again.
type printer struct {
	b     strings.Builder
	shown map[reflect.Type]string // structs whose keys are shown, and where
}

func (p *printer) table(m *mapping) {
	p.b.WriteString("| key | takes | default | meaning |\n|---|---|---|---|\n")
	var inner []*key
	fresh := map[reflect.Type]bool{}
	for i, k := range m.keys {
		if k.among != nil && !fresh[k.among] {
			if where, ok := p.shown[k.among]; ok {
				if i == 0 || m.keys[i-1].among != k.among {
					p.again(m, k.among, where)
				}
				continue
			}
			fresh[k.among] = true
			p.shown[k.among] = "above"
		}
		fmt.Fprintf(&p.b, "| `%s` | %s | %s | %s |\n", k.name, p.takes(k), p.unsaid(k), cell(k.doc))
		if k.value.innermost().kind == keyed {
			inner = append(inner, k)
		}
	}
	if rules := rules(m); len(rules) > 0 {
		fmt.Fprintf(&p.b, "\n%s\n", strings.Join(rules, " "))
	}
	for _, k := range inner {
		p.inner(k)
	}
}

// again is the row of keys that are explained elsewhere.
func (p *printer) again(m *mapping, among reflect.Type, where string) {
	var names, demanded []string
	for _, k := range m.keys {
		if k.among == among {
			names = append(names, "`"+k.name+"`")
			if k.required {
				demanded = append(demanded, "`"+k.name+"`")
			}
		}
	}
	needed := ""
	if len(demanded) > 0 {
		needed = "; required here: " + document.And(demanded)
	}
	fmt.Fprintf(&p.b, "| %s | as %s | as %s | As %s%s. |\n", strings.Join(names, ", "), where, where, where, needed)
}

// inner shows the keys of a key's own mapping.
func (p *printer) inner(k *key) {
	body := k.value.innermost().body
	of := "`" + k.name + "`"
	if k.value.kind != keyed {
		of = "each of " + of
	}
	doc := ""
	if body.doc != "" {
		doc = ": " + strings.ToLower(body.doc[:1]) + strings.TrimSuffix(body.doc[1:], ".")
	}
	fmt.Fprintf(&p.b, "\n**Keys of %s**%s\n\n", of, doc)
	p.shown[body.from] = "in `" + k.name + "`"
	p.table(body)
}

func (p *printer) takes(k *key) string { return cell(k.value.words(false)) }

// unsaid is what holds when a key is not given.
func (p *printer) unsaid(k *key) string {
	switch {
	case k.required:
		return "**required**"
	case k.value.defaults(k.unsaid) != nil:
		return "`" + k.unsaid + "`"
	}
	return cell(k.unsaid)
}

// cell makes a text fit into a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n\n", "<br>", "\n", " ").Replace(text)
}

func (v *value) innermost() *value {
	for v.of != nil {
		v = v.of
	}
	return v
}

// words say what a value is; several of them when many.
func (v *value) words(many bool) string {
	pick := func(one, several string) string {
		if many {
			return several
		}
		return one
	}
	switch v.kind {
	case whole:
		return pick("whole number", "whole numbers") + v.bounds()
	case truth:
		return "`true` or `false`"
	case list:
		return pick("list of ", "lists of ") + v.of.words(true)
	case table:
		keys := "names"
		if v.keys != nil {
			keys = v.keys.many
		}
		return pick("mapping of ", "mappings of ") + keys + " to " + v.of.words(true)
	case keyed:
		return pick("mapping", "mappings") + " (below)"
	case data:
		switch v.sort {
		case "manifest":
			return pick("Kubernetes object", "Kubernetes objects")
		case "pattern":
			return pick("Kubernetes object in part", "Kubernetes objects in part")
		}
		return pick("mapping", "mappings")
	case named:
		return "name, or mapping of values to names"
	case steps:
		return "steps (below)"
	}
	return v.textWords(many)
}

func (v *value) textWords(many bool) string {
	pick := func(f *form) string {
		if many {
			return f.many
		}
		return f.one
	}
	switch {
	case len(v.enum) > 0:
		var all []string
		for _, word := range v.enum {
			all = append(all, "`"+word+"`")
		}
		return or(all)
	case v.kind == quantity:
		return pick(v.form) + " (`" + v.form.examples[0] + "`)"
	case v.form != nil:
		return pick(v.form)
	case many:
		return "texts"
	}
	return "text"
}

func (v *value) bounds() string {
	switch {
	case v.min != nil && v.max != nil:
		return fmt.Sprintf(", %d to %d", *v.min, *v.max)
	case v.min != nil:
		return fmt.Sprintf(", %d or more", *v.min)
	}
	return ""
}
