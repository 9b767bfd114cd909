package strict

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReading(t *testing.T) {
	var problems Lines
	o := New("spec", map[string]any{
		"text": "a", "texts": []any{"a", "b"}, "number": int64(3), "float": 4.0, "decimal": 0.25, "whole": int64(5), "flag": true,
		"duration": "1.5s", "labels": map[string]any{"b": "2", "a": "1"}, "objects": []any{map[string]any{"x": "y"}}, "of": "two",
		"empty": "", "none": nil, "noList": []any{}, "off": false, "zero": int64(0), "nought": 0.0, "ignored": "x",
	}, &problems)
	check := func(name string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	check("text", o.Text("text"), "a")
	check("texts", o.Texts("texts"), []string{"a", "b"})
	check("number", o.Number("number", 1, 3), int64(3))
	check("float", o.Number("float", 1, 4), int64(4))
	check("decimal", o.Decimal("decimal", 0, 1), 0.25)
	check("whole", o.Decimal("whole", 0, 5), 5.0)
	check("flag", o.Flag("flag"), true)
	check("duration", o.Duration("duration"), 1500*time.Millisecond)
	check("labels", o.Labels("labels"), map[string]string{"a": "1", "b": "2"})
	check("objects", o.Objects("objects")[0].Text("x"), "y")
	check("of", o.OneOf("of", "unknown", "one", "two"), "two")
	check("unset text", o.Text("unset"), "")
	check("unset object", o.Object("unset") == nil, true)
	check("unset list", len(o.Objects("unset")), 0)
	check("unset number", o.Number("unset", 5, 9), int64(0))
	check("empty is there", o.Has("empty") && o.Has("none") && !o.Has("unset"), true)
	check("empty is set", o.Set("empty") && !o.Set("none") && !o.Set("unset"), true)
	check("within what is unset", o.Within("unset").Within("deep").Text("x"), "")
	check("its path", o.Within("unset").At("x"), "spec.unset.x")
	check("path in a list", o.Objects("objects")[0].Path(), "spec.objects[0]")
	o.Ignore("ignored")
	o.Done() // what is empty may stay unread
	check("problems", []string(problems), []string(nil))
}

func TestRefusing(t *testing.T) {
	var problems Lines
	o := New("spec", map[string]any{
		"text": 1, "texts": []any{"a", 2}, "number": "3", "low": int64(0), "frac": 1.5, "huge": math.Inf(1), "decimal": "x", "nan": math.NaN(), "flag": "yes",
		"duration": "soon", "past": "-1s", "object": "x", "objects": []any{"x"}, "list": map[string]any{}, "of": "three",
		"labels": map[string]any{"b": 1, "a": true}, "z": map[string]any{}, "y": true,
	}, &problems)
	o.Text("text")
	o.Texts("texts")
	o.Number("number", 0, 9)
	o.Number("low", 1, 9)
	o.Number("frac", 0, 9)
	o.Number("huge", 0, 9)
	o.Decimal("decimal", 0, 9)
	o.Decimal("nan", 0, 9)
	o.Flag("flag")
	o.Duration("duration")
	o.Duration("past")
	o.Object("object")
	o.Objects("objects")
	o.Texts("list")
	o.OneOf("of", "unknown", "one", "two")
	o.Labels("labels")
	o.Done()
	want := []string{
		"spec.text: want a string, not int",
		"spec.texts[1]: want a string, not int",
		"spec.number: want an integer, not string",
		"spec.low: 0 is not between 1 and 9",
		"spec.frac: want an integer, not 1.5",
		"spec.huge: want an integer, not +Inf",
		"spec.decimal: want a number, not string",
		"spec.nan: NaN is not between 0 and 9",
		"spec.flag: want true or false, not string",
		`spec.duration: "soon" is not a duration such as 1.5s`,
		`spec.past: "-1s" is not a duration such as 1.5s`,
		"spec.object: want an object, not string",
		"spec.objects[0]: want an object, not string",
		"spec.list: want a list, not map[string]interface {}",
		`spec.of: "three": unknown (want one, two)`,
		"spec.labels.a: want a string, not bool",
		"spec.labels.b: want a string, not int",
		"spec.y: the sandbox does not honour this field",
		"spec.z: the sandbox does not honour this field",
	}
	if diff := cmp.Diff(want, []string(problems)); diff != "" {
		t.Error(diff)
	}
}
