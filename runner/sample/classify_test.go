package sample

import (
	"encoding/json"
	"net/http"
	"regexp"
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

// The walk agrees with encoding/json's own decoding into maps.
func FuzzField(f *testing.F) {
	for _, s := range []string{`{"color":"blue"}`, `{"a":{"color":1e3}}`, `{"color":"\ud800"}`, `[1,2]`, `{"color":`, `null`, "{\"color\":\"\xff\"}", `{"color":true,"color":[]}`} {
		f.Add([]byte(s), "color")
	}
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		for i := range key {
			if key[i] == '.' {
				return
			}
		}
		a := answer{body: body}
		got, ok := a.field(key)
		var m map[string]any
		var want string
		wantOK := false
		if err := json.Unmarshal(body, &m); err == nil {
			if want, wantOK = m[key].(string); !wantOK {
				return // numbers and booleans have no text there
			}
		}
		if m == nil && len(body) > 0 && json.Valid(body) {
			return // an array
		}
		if got != want || ok != wantOK {
			t.Errorf("%q of %q: got %q, %v, want %q, %v", key, body, got, ok, want, wantOK)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	c := tutorial()
	body := []byte(`{"greeting":"Hola from canary","count":17,"pod":"vm-192.168.64.10","color":"yellow","textColor":"black","userAgent":"curl/8.5.0"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Classify(200, nil, body); !ok {
			b.Fatal("not matched")
		}
	}
}
