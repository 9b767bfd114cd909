package shares

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// Want is the share of all answers that each outcome should have, in percent:
// Want{"blue": 80, "green": 20}. An outcome that is not in it must not come.
type Want map[string]float64

// ErrorsKey is the key under which counts by name have the failed requests.
const ErrorsKey = "errors"

// Match succeeds when counts are divided as wanted, fails when they are not,
// and returns an error when they are too few to tell, so that neither To nor
// NotTo is green on doubt.
//
// The counts are a map of names to integers of any kind; ErrorsKey has those of
// failed requests, 0 if it is left out. Every outcome wanted needs a count.
func Match(want Want, options ...Option) types.GomegaMatcher {
	s := settings{claim: verdict.Claim{Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta}}
	names := slices.SortedFunc(maps.Keys(want), func(a, b string) int {
		return cmp.Or(cmp.Compare(want[b], want[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		if lower := strings.ToLower(name); lower == ErrorsKey || lower == "error" {
			s.refuse("%q cannot name an outcome: shares.Errors says how many failed requests are tolerated", name)
		}
		s.claim.Shares = append(s.claim.Shares, verdict.Share{Name: name, Want: want[name] / 100})
	}
	for _, o := range options {
		o(&s)
	}
	s.claim = s.claim.With(s.tolerance, s.leak)
	return &matcher{claim: s.claim, refused: s.refused}
}

// MatchClaim is Match for those who have a claim of the package verdict. The
// counts may then be verdict.Counts, in the order of its shares, too.
func MatchClaim(c verdict.Claim) types.GomegaMatcher { return &matcher{claim: c, ordered: true} }

// An Option says more of what is wanted.
type Option func(*settings)

type settings struct {
	claim           verdict.Claim
	tolerance, leak float64
	refused         []error
}

func (s *settings) refuse(format string, args ...any) {
	s.refused = append(s.refused, fmt.Errorf(format, args...))
}

// Within is by how many percentage points each share strictly between 0 and
// 100 may be off, on either side.
func Within(points float64) Option {
	return func(s *settings) {
		if s.tolerance = points / 100; !(points > 0) {
			s.refuse("shares.Within(%g): no number of answers confirms that; for example 3", points)
		}
	}
}

// WithinOf is Within for one outcome, and goes before it.
func WithinOf(name string, points float64) Option {
	return func(s *settings) {
		i := s.claim.Index(name)
		switch {
		case i == verdict.Unlisted:
			s.refuse("shares.WithinOf(%q, %g): no such outcome is wanted%s", name, points, inBrackets(document.OneOf(name, namesOf(s.claim))))
		case !(points > 0):
			s.refuse("shares.WithinOf(%q, %g): no number of answers confirms that; for example 3", name, points)
		default:
			s.claim.Shares[i].Tolerance = points / 100
		}
	}
}

// Leak is the share, in percent, that is tolerated of each outcome wanted at 0,
// and of all that are not wanted together. Without it the first one fails.
func Leak(percent float64) Option { return func(s *settings) { s.leak = percent / 100 } }

// Errors is the share of failed requests, in percent, that is tolerated. It is
// 0.5 unless said; 0 says that the first one fails.
func Errors(percent float64) Option { return func(s *settings) { s.claim.Errors = percent / 100 } }

// Alpha is the probability of a wrong failure, at most: 0.001 unless said.
func Alpha(probability float64) Option { return func(s *settings) { s.claim.Alpha = probability } }

// Beta is the probability of a wrong success, at most: 0.01 unless said.
func Beta(probability float64) Option { return func(s *settings) { s.claim.Beta = probability } }

type matcher struct {
	claim   verdict.Claim
	ordered bool // verdict.Counts have an order to go by
	refused []error
}

// Match judges the counts.
func (m *matcher) Match(actual any) (bool, error) {
	s, err := m.judge(actual)
	if err != nil {
		return false, err
	}
	if s.Result.State == verdict.Undecided {
		return false, doubt{s}
	}
	return s.Result.State == verdict.Passed, nil
}

// FailureMessage shows the table and the reason.
func (m *matcher) FailureMessage(actual any) string { return m.message(actual, "to be") }

// NegatedFailureMessage shows the table.
func (m *matcher) NegatedFailureMessage(actual any) string { return m.message(actual, "not to be") }

func (m *matcher) message(actual any, wish string) string {
	s, err := m.judge(actual)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("Expected the answers %s divided as wanted, but the verdict is\n%s", wish, strings.TrimRight(report.SampleText(s), "\n"))
}

// doubt is the error of counts that are too few.
type doubt struct{ s record.Sample }

// Error says what is known, and what would decide.
func (d doubt) Error() string {
	return strings.TrimRight("Whether the answers are divided as wanted cannot be told yet; the verdict is\n"+report.SampleText(d.s)+report.ToDecide(d.s.Result), "\n")
}

// FormattedGomegaError keeps Gomega from printing the fields of the error.
func (d doubt) FormattedGomegaError() string { return d.Error() }

func (m *matcher) judge(actual any) (record.Sample, error) {
	mistakes := slices.Clone(m.refused)
	for _, p := range m.claim.Validate() {
		mistakes = append(mistakes, errors.New(p.String()))
	}
	counts, unlisted, wrong := m.counts(actual)
	mistakes = append(mistakes, wrong...)
	if len(mistakes) > 0 {
		return record.Sample{}, fmt.Errorf("shares.Match cannot judge:\n%w", errors.Join(mistakes...))
	}
	test, err := verdict.New(m.claim)
	if err != nil {
		return record.Sample{}, err
	}
	test.Update(counts)
	s := record.Sample{Result: test.Result(), Counts: counts, Unlisted: unlisted}
	s.Diagnosis = report.Diagnose(s)
	return s, nil
}

// counts puts what is counted into the order of the claim.
func (m *matcher) counts(actual any) (verdict.Counts, map[string]int64, []error) {
	switch c := actual.(type) {
	case *verdict.Counts:
		if c != nil {
			return m.counts(*c)
		}
	case verdict.Counts:
		return m.inOrder(c)
	}
	byName := make(map[string]int64)
	v := reflect.ValueOf(actual)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String || !(v.Type().Elem().Kind() >= reflect.Int && v.Type().Elem().Kind() <= reflect.Uint64) {
		return verdict.Counts{}, nil, []error{fmt.Errorf("want counts by name such as map[string]int64{\"blue\": 812}, got %T", actual)}
	}
	failed := int64(0)
	for key, value := range v.Seq2() {
		var n int64
		if n = -1; value.CanInt() {
			n = value.Int()
		} else if u := value.Uint(); u < 1<<62 {
			n = int64(u)
		}
		if key.String() == ErrorsKey {
			failed = n
		} else {
			byName[key.String()] = n
		}
	}
	counts, unlisted, problems := m.claim.Named(byName, failed)
	var wrong []error
	for _, p := range problems {
		if p.Text == verdict.NoCount {
			p.Hint = fmt.Sprintf("%q: 0 says that it never came", p.Share)
			if near := document.DidYouMean(p.Share, slices.Sorted(maps.Keys(unlisted))); near != "" {
				p.Hint = "one that is not wanted has: " + near
			}
		}
		wrong = append(wrong, errors.New(p.String()))
	}
	return counts, unlisted, wrong
}

// inOrder takes counts that are in the order of the claim already.
func (m *matcher) inOrder(c verdict.Counts) (verdict.Counts, map[string]int64, []error) {
	switch {
	case !m.ordered:
		return c, nil, []error{errors.New("verdict.Counts have no names, and a Want has no order: use shares.MatchClaim, or counts by name")}
	case len(c.Outcomes) != len(m.claim.Shares):
		return c, nil, []error{fmt.Errorf("counts of %d outcomes for a claim of %d", len(c.Outcomes), len(m.claim.Shares))}
	case c.Errors < 0 || c.Other < 0 || len(c.Outcomes) > 0 && slices.Min(c.Outcomes) < 0:
		return c, nil, []error{fmt.Errorf("%+v: a count cannot be negative", c)}
	}
	return c, nil, nil
}

func namesOf(c verdict.Claim) []string {
	var names []string
	for _, s := range c.Shares {
		names = append(names, s.Name)
	}
	return names
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
