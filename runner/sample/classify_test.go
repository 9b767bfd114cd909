package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tutorial has the answers of the tutorial's service: canary calls itself yellow.
func tutorial() *Classifier {
	return NewClassifier([]Rule{
		{JSON: "color", Values: map[string]string{"blue": "blue", "green": "green", "yellow": "canary"}},
		{Status: 403, Body: "RBAC: access denied", Name: "denied"},
	})
}

func TestClassify(t *testing.T) {
	rules := func(r ...Rule) *Classifier { return NewClassifier(r) }
	for _, tt := range []struct {
		name   string
		c      *Classifier
		status int
		header http.Header
		body   string
		want   string // "": no rule matches
	}{
		{"a value of a map", tutorial(), 200, nil, `{"greeting":"hi","color":"yellow","pod":"vm"}`, "canary"},
		{"a value not in the map", tutorial(), 200, nil, `{"color":"red"}`, ""},
		{"escapes and white space", tutorial(), 200, nil, " {\n\"c\\u006flor\" : \"b\\u006cue\" } ", "blue"},
		{"the key inside another value", tutorial(), 200, nil, `{"x":"{\"color\":\"blue\"}","y":{"color":"blue"}}`, ""},
		{"of equal keys the last", tutorial(), 200, nil, `{"color":"blue","color":"green"}`, "green"},
		{"not JSON to its end", tutorial(), 200, nil, `{"color":"blue"`, ""},
		{"something after it", tutorial(), 200, nil, `{"color":"blue"} x`, ""},
		{"empty", tutorial(), 200, nil, ``, ""},
		{"an array", tutorial(), 200, nil, `[{"color":"blue"}]`, ""},
		{"status and body", tutorial(), 403, nil, "RBAC: access denied", "denied"},
		{"body but not the status", tutorial(), 200, nil, "RBAC: access denied", ""},
		{"status but not the body", tutorial(), 403, nil, "no", ""},
		{"a backend that fails says its name too", tutorial(), 500, nil, `{"color":"blue"}`, ""},
		{"a refusal is not a failure", tutorial(), 404, nil, `{"color":"blue"}`, "blue"},
		{"a failure that a rule gives", rules(Rule{Status: 503, Name: "busy"}), 503, nil, ``, "busy"},
		{"another failure than the rule's", rules(Rule{Status: 503, Name: "busy"}), 500, nil, ``, ""},
		{"nested", rules(Rule{JSON: "a.1.b"}), 200, nil, `{"a":[0,{"b":"x"}]}`, "x"},
		{"beyond the array", rules(Rule{JSON: "a.2"}), 200, nil, `{"a":[0,1]}`, ""},
		{"a number as it stands", rules(Rule{JSON: "n"}), 200, nil, `{"n": 1.50 }`, "1.50"},
		{"a boolean", rules(Rule{JSON: "n"}), 200, nil, `{"n":true}`, "true"},
		{"null is no value", rules(Rule{JSON: "n", Name: "x"}), 200, nil, `{"n":null}`, ""},
		{"an object is no value", rules(Rule{JSON: "n", Name: "x"}), 200, nil, `{"n":{}}`, ""},
		{"that the field is there", rules(Rule{JSON: "n", Name: "x"}), 200, nil, `{"n":""}`, "x"},
		{"match on the value", rules(Rule{JSON: "pod", Match: regexp.MustCompile(`^blue-`), Name: "blue"}), 200, nil, `{"pod":"blue-98db","x":"green-"}`, "blue"},
		{"no match on the value", rules(Rule{JSON: "pod", Match: regexp.MustCompile(`^green-`), Name: "green"}), 200, nil, `{"pod":"blue-98db","x":"green-"}`, ""},
		{"match on the body", rules(Rule{Match: regexp.MustCompile(`v[12]`), Name: "old"}), 200, nil, `version v2`, "old"},
		{"header", rules(Rule{Header: "x-served-by", Values: map[string]string{"a": "blue"}}), 200, http.Header{"X-Served-By": {"a"}}, ``, "blue"},
		{"no such header", rules(Rule{Header: "x-served-by", Name: "blue"}), 200, http.Header{}, ``, ""},
		{"the first rule that matches", rules(Rule{Status: 200, Name: "a"}, Rule{Status: 200, Name: "b"}), 200, nil, ``, "a"},
		{"no rules", nil, 200, nil, ``, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.c.Classify(tt.status, tt.header, []byte(tt.body))
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

// reference finds the value at a path as encoding/json decodes it, one level
// after the other into maps and lists of what is not decoded yet. Found says
// that something is there, ok that it is a scalar.
func reference(body []byte, dotted string) (text string, valid, ok bool) {
	if !json.Valid(body) {
		return "", false, false
	}
	at := json.RawMessage(body)
	for key := range strings.SplitSeq(dotted, ".") {
		var members map[string]json.RawMessage
		var elements []json.RawMessage
		switch at = bytes.TrimLeft(at, " \t\r\n"); at[0] {
		case '{':
			if json.Unmarshal(at, &members) != nil {
				return "", true, false
			}
			if at, ok = members[key]; !ok {
				return "", true, false
			}
		case '[':
			i, err := strconv.ParseUint(key, 10, 32)
			if json.Unmarshal(at, &elements) != nil || err != nil || strconv.FormatUint(i, 10) != key || i >= uint64(len(elements)) {
				return "", true, false
			}
			at = elements[i]
		default:
			return "", true, false
		}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(at))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return "", true, false
	}
	switch v := v.(type) {
	case string:
		return v, true, true
	case json.Number:
		return v.String(), true, true
	case bool:
		return strconv.FormatBool(v), true, true
	}
	return "", true, false
}

// The walk finds what encoding/json finds, for any text and any path, and calls
// the same texts valid.
func FuzzField(f *testing.F) {
	for _, s := range []string{
		`{"color":"blue"}`, ` { "a" : { "color" : 1e3 } } `, `{"color":"\ud800"}`, `{"color":"\ud83d\ude00\ud83dx\u0041"}`,
		`[1,2]`, `{"color":`, `null`, "{\"color\":\"\xff\"}", "{\"\xff\":1,\"\ufffd\":2}", `{"color":true,"color":[]}`,
		`{"a":{"color":1},"a":{}}`, `{"a":[0,{"color":-0.0e+1}],"a ":1}`, `{"\u0063\u006Flor":"\"\\\/\b\f\n\r\t"}`,
		`{"color":01}`, `{"color":-}`, `{"color":1.}`, `{"color":.5}`, `{"color":1e}`, `{"color":1E-2}`, `{"color":tru}`, `{"color":nul`,
		`{"color":"\x"}`, `{"color":"\u12g4"}`, "{\"color\":\"a\tb\"}", "{\"color\":\"\x7f\"}", `{"color":1,}`, `[1,]`, `[,]`, `{,}`, `{"a"}`, `{a:1}`, `{} {}`, "\ufeff{}",
		`{"":{"":"x"}}`, `{"a":{"a":{"a":[[["x"]]]}}}`, `{"Color":"BLUE","color":"blue","COLOR":1}`,
	} {
		for _, p := range []string{"color", "a.color", "a.1.color", "0", ".", "a.a.a.0.0.0", "\ufffd", "\xff"} {
			f.Add([]byte(s), p)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, dotted string) {
		want, wantValid, wantOK := reference(body, dotted)
		at, valid := newPath(dotted).find(body)
		if valid != wantValid {
			t.Fatalf("%q: valid %v, want %v", body, valid, wantValid)
		}
		a := answer{body: body}
		for range 2 { // the second time from what is kept
			got, ok := a.field(newPath(dotted), 0)
			if string(got) != want || ok != wantOK {
				t.Fatalf("%q of %q: got %q, %v at %v, want %q, %v", dotted, body, got, ok, at, want, wantOK)
			}
		}
	})
}

// Texts nested as deep as encoding/json allows are walked over, deeper ones refused.
func TestNestingIsBounded(t *testing.T) {
	for _, tt := range []struct {
		depth int
		valid bool
	}{{depthLimit, true}, {depthLimit + 1, false}, {1 << 20, false}} {
		for _, pair := range []string{"[]", "{}"} {
			begin, end, middle := pair[:1], pair[1:], "1"
			if pair == "{}" {
				begin = `{"a":`
			}
			text := []byte(strings.Repeat(begin, tt.depth) + middle + strings.Repeat(end, tt.depth))
			if _, valid := newPath("a").find(text); valid != tt.valid || valid != json.Valid(text) {
				t.Errorf("%d times %s: valid %v, want %v as encoding/json", tt.depth, pair, valid, tt.valid)
			}
		}
	}
}

// What the loop relies on: no answer costs memory, whatever rule it meets.
func TestClassifyingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var header Header = one{"X-Served-By", []byte("a-17")}
	for _, tt := range []struct {
		name string
		c    *Classifier
		body string
		want string
	}{
		{"a field", tutorial(), typical, "canary"},
		{"the second rule", NewClassifier([]Rule{{JSON: "colour", Name: "x"}, {JSON: "color", Name: "y"}}), typical, "y"},
		{"a name with escapes", tutorial(), `{"col\u006fr":"blue"}`, "blue"},
		{"a value that is the outcome", NewClassifier([]Rule{{JSON: "pod"}}), typical, "vm-192.168.64.10"},
		{"no match", tutorial(), `{"color":"red"}`, ""},
		{"not JSON", tutorial(), `<html>`, ""},
		{"header", NewClassifier([]Rule{{Header: "x-served-by", Match: regexp.MustCompile("^a-"), Name: "a"}}), ``, "a"},
		{"body", NewClassifier([]Rule{{Body: "RBAC", Name: "denied"}}), `RBAC: access denied`, "denied"},
	} {
		body := []byte(tt.body)
		if got, _ := tt.c.Outcome(200, header, body); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if n := testing.AllocsPerRun(1000, func() { tt.c.Outcome(200, header, body) }); n > 0 {
			t.Errorf("%s: %v allocations an answer", tt.name, n)
		}
	}
}

// one is a header with one field.
type one struct {
	name  string
	value []byte
}

func (o one) First(name string) ([]byte, bool) { return o.value, o.name == name }

// A service with a new name in each answer must not fill the memory.
func TestNamesAreBounded(t *testing.T) {
	c := NewClassifier([]Rule{{JSON: "pod"}})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := range 4 * namesLimit {
				want := fmt.Sprintf("pod-%d", i)
				if got, ok := c.Classify(200, nil, fmt.Appendf(nil, `{"pod":%q}`, want)); got != want || !ok {
					t.Errorf("got %q, %v, want %q", got, ok, want)
				}
			}
		})
	}
	all.Wait()
	if n := len(*c.names.known.Load()); n != namesLimit {
		t.Errorf("%d names are kept, want %d", n, namesLimit)
	}
}

// typical is an answer of the tutorial's service.
const typical = `{"greeting":"Hola from canary","count":17,"pod":"vm-192.168.64.10","color":"yellow","textColor":"black","userAgent":"curl/8.5.0"}`

func BenchmarkClassify(b *testing.B) {
	for _, bb := range []struct{ name, body string }{{"Typical", typical}, {"Short", `{"color":"blue"}`}} {
		b.Run(bb.name, func(b *testing.B) {
			c, body := tutorial(), []byte(bb.body)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, ok := c.Classify(200, nil, body); !ok {
					b.Fatal("not matched")
				}
			}
		})
	}
}
