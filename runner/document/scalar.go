package document

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Scalars are read after YAML 1.2's core schema (https://yaml.org/spec/1.2.2/,
// section 10.3.2). What YAML 1.1 reads as something else is ambiguous: other tools,
// kubectl among them, read it otherwise, so it is refused where it would matter.

var (
	wholeNumber   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$|^0x[0-9a-fA-F]+$|^0o[0-7]+$`)
	broken        = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	notFinite     = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
	leadingZero   = regexp.MustCompile(`^[-+]?0[0-9]+$`)
	underscores   = regexp.MustCompile(`^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$`)
	binary        = regexp.MustCompile(`^[-+]?0b[01_]+$`)
	oldBool       = regexp.MustCompile(`^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$`)
	oldTrue       = regexp.MustCompile(`^(y|Y|yes|Yes|YES|on|On|ON)$`)
	trueOrFalse   = regexp.MustCompile(`^(true|True|TRUE|false|False|FALSE)$`)
	errNotANumber = errors.New("not a number")
)

// meaning is what a scalar's spelling says.
type meaning int

const (
	isText meaning = iota
	isBool
	isWhole
	isBroken     // a number with a fraction or an exponent
	isNotFinite  // .inf, .nan
	isOldBool    // true or false in YAML 1.1, a text in 1.2
	isOldNumber  // a number in YAML 1.1 (1_000, 0b11), a text in 1.2
	isZeroNumber // 0777: octal in YAML 1.1, decimal in 1.2
)

func isPlain(n *yaml.Node) bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Style&quoted == 0
}

func isNull(text string) bool {
	return text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL"
}

// meaningOf tells what a scalar says. A quoted scalar is a text.
func meaningOf(n *yaml.Node) meaning {
	text := n.Value
	switch {
	case !isPlain(n) || text == "":
		return isText
	case trueOrFalse.MatchString(text):
		return isBool
	case oldBool.MatchString(text):
		return isOldBool
	case leadingZero.MatchString(text):
		return isZeroNumber
	case wholeNumber.MatchString(text):
		return isWhole
	case broken.MatchString(text):
		return isBroken
	case notFinite.MatchString(text):
		return isNotFinite
	case underscores.MatchString(text), binary.MatchString(text):
		return isOldNumber
	}
	return isText
}

// parseWhole reads what wholeNumber matches.
func parseWhole(text string) (int64, error) {
	switch {
	case strings.HasPrefix(text, "0x"):
		return strconv.ParseInt(text[2:], 16, 64)
	case strings.HasPrefix(text, "0o"):
		return strconv.ParseInt(text[2:], 8, 64)
	}
	return strconv.ParseInt(text, 10, 64)
}

// parseFloat reads a finite number.
func parseFloat(text string) (float64, error) {
	if wholeNumber.MatchString(text) {
		n, err := parseWhole(text)
		return float64(n), err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsInf(f, 0) || math.IsNaN(f)) {
		err = errNotANumber
	}
	return f, err
}

// maxQuoted is how many characters of a text a message repeats at most.
const maxQuoted = 48

func shorten(text string) string {
	if r := []rune(text); len(r) > maxQuoted {
		return string(r[:maxQuoted-1]) + "…"
	}
	return text
}

// Quote puts a text in quotes for a message, cut to a length that messages bear.
func Quote(text string) string { return strconv.Quote(shorten(text)) }

// found says what a value is, for messages that say "want …, got …".
func (v Value) found() string {
	if v.Kind() != Scalar {
		return v.Kind().String()
	}
	text := shorten(v.node.Value)
	switch meaningOf(v.node) {
	case isBool, isOldBool:
		return text
	case isWhole, isBroken, isNotFinite, isZeroNumber, isOldNumber:
		return "the number " + text
	}
	return "the text " + Quote(v.node.Value)
}

// want says that a value is of the wrong type.
func (v Value) want(what string) Mistake {
	return v.Mistake("want %s, got %s", what, v.found())
}

// ambiguous says that a plain scalar reads differently in YAML 1.1 and 1.2, and how
// to say which is meant; ok is false when it does not.
func (v Value) ambiguous() (m Mistake, ok bool) {
	text := shorten(v.node.Value)
	switch meaningOf(v.node) {
	case isOldBool:
		b := boolWord(text)
		return v.Mistake("%s could be read as %s or as a text", text, b).WithHint("write " + b + ", or quote it: " + Quote(text)), true
	case isOldNumber:
		return v.Mistake("%s could be read as a number or as a text", text).WithHint("write the digits only, or quote it: " + Quote(text)), true
	case isZeroNumber:
		return v.leadingZero(), true
	}
	return Mistake{}, false
}

// leadingZero says what is wrong with 0777.
func (v Value) leadingZero() Mistake {
	text := v.node.Value
	plain := strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	if plain == "" {
		plain = "0"
	}
	if strings.HasPrefix(text, "-") {
		plain = "-" + plain
	}
	octal, err := strconv.ParseInt(text, 8, 64)
	if err != nil || strconv.FormatInt(octal, 10) == plain {
		return v.Mistake("the number %s begins with a zero", shorten(text)).WithHint("write " + shorten(plain))
	}
	return v.Mistake("the number %s could be read as %s or, as an octal, as %d", text, plain, octal).
		WithHint("write " + plain + " or " + strconv.FormatInt(octal, 10))
}

func boolWord(old string) string {
	if oldTrue.MatchString(old) {
		return "true"
	}
	return "false"
}
