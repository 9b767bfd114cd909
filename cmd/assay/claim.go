package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/verdict"
)

// claimFlags are what is wanted, as it was written: it is read when all of it
// is known, so that all mistakes are told at once.
type claimFlags struct {
	expect                               []string
	tolerance, leak, errors, alpha, beta string
}

// claimHelp says how a claim is written.
const claimHelp = `What is wanted: --expect names every outcome and its share of all answers, --tolerance says how far a share
strictly between 0 and 100 % may be off (a share may have its own: canary=20%+-2pp). An outcome that is not
named must never come: the first one fails, unless --leak tolerates some. --errors says how many failed
requests are tolerated.`

func (f *claimFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.expect, "expect", nil, "`NAME=SHARE,...` of all answers, such as blue=40%,canary=20%+-2pp (may be repeated)")
	flags.StringVar(&f.tolerance, "tolerance", "", "`POINTS` that a share may be off on either side, such as 5pp")
	flags.StringVar(&f.leak, "leak", "", "`SHARE` that each outcome wanted at 0% may have, and all that are not named together (default: none)")
	flags.StringVar(&f.errors, "errors", document.Percent(verdict.DefaultErrors).String(), "`SHARE` of failed requests that is tolerated")
	flags.StringVar(&f.alpha, "alpha", fmt.Sprint(verdict.DefaultAlpha), "`PROBABILITY` of a wrong failed, at most")
	flags.StringVar(&f.beta, "beta", fmt.Sprint(verdict.DefaultBeta), "`PROBABILITY` of a wrong passed, at most")
}

// claim reads the flags.
func (f *claimFlags) claim() (verdict.Claim, document.Mistakes) {
	var ms document.Mistakes
	c := verdict.Claim{}
	if len(f.expect) == 0 {
		ms = append(ms, document.Mistake{Path: "--expect", Text: "is missing: which share of the answers is wanted of whom?", Hint: "for example --expect blue=80%,green=20%"})
	}
	for _, text := range f.expect {
		shares, wrong := sharesOf(text)
		c.Shares, ms = append(c.Shares, shares...), append(ms, wrong...)
	}
	misread := len(ms) > 0 // what is said of the whole would only repeat it
	c.Alpha = probability("--alpha", f.alpha, verdict.DefaultAlpha, &ms)
	c.Beta = probability("--beta", f.beta, verdict.DefaultBeta, &ms)
	c.Errors = fraction("--errors", f.errors, verdict.DefaultErrors, &ms)
	tolerance, leak := 0.0, 0.0
	if f.tolerance != "" {
		p, err := document.ParsePoints(f.tolerance)
		if tolerance = float64(p); err != nil {
			ms, tolerance = append(ms, at("--tolerance", err)...), harmless
		}
	}
	if f.leak != "" {
		leak = fraction("--leak", f.leak, 0, &ms)
	}
	if !misread {
		ms = append(ms, f.useless(c)...)
		c = c.With(tolerance, leak)
		ms = append(ms, problems(c)...)
	}
	return c, ms
}

// harmless is a tolerance that no rule refuses, in the place of one that could
// not be read or is missing, so that the other mistakes are told too.
const harmless = 1e-3

// useless says that a tolerance loosens nothing, or that one is missing.
func (f *claimFlags) useless(c verdict.Claim) document.Mistakes {
	between := func(s verdict.Share) bool { return s.Want > 0 && s.Want < 1 }
	if f.tolerance != "" && !slices.ContainsFunc(c.Shares, between) {
		return document.Mistakes{{Path: "--tolerance", Text: "is for shares between 0 and 100%, and there is none", Hint: "--leak and --errors say what may be missing of 100%"}}
	}
	return nil
}

// problems are the mistakes of a claim that was read.
func problems(c verdict.Claim) document.Mistakes {
	var ms document.Mistakes
	untold := true
	for _, s := range c.Shares {
		if untold && s.Want > 0 && s.Want < 1 && s.Tolerance == 0 {
			untold = false
			ms = append(ms, document.Mistake{Path: "--tolerance", Text: fmt.Sprintf("is missing: no number of answers confirms exactly %s of %s", document.Percent(s.Want), s.Name), Hint: "for example --tolerance 3pp"})
		}
	}
	if !untold {
		c = c.With(harmless, 0)
	}
	for _, p := range c.Validate() {
		path := "--expect"
		if p.Share != "" {
			path += " " + p.Share
		}
		if p.Share == verdict.NotListed || strings.HasPrefix(p.Text, "a leak") {
			path = "--leak"
		}
		ms = append(ms, document.Mistake{Path: path, Text: p.Text, Hint: p.Hint})
	}
	return document.Sort(ms)
}

// sharesOf reads "blue=40%,canary=20%+-2pp".
func sharesOf(text string) (shares []verdict.Share, ms document.Mistakes) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		path := "--expect " + part
		i := strings.LastIndex(part, "=")
		if i <= 0 {
			ms = append(ms, document.Mistake{Path: "--expect", Text: fmt.Sprintf("want NAME=SHARE, got %q", part), Hint: "for example blue=40%"})
			continue
		}
		s := verdict.Share{Name: strings.TrimSpace(part[:i])}
		if m := reserved(s.Name, "--errors 1% says how many are tolerated"); m != nil {
			ms = append(ms, at(path, m)...)
		}
		wanted, own, has := strings.Cut(strings.NewReplacer("±", "+-", "+/-", "+-").Replace(part[i+1:]), "+-")
		p, err := document.ParsePercent(strings.TrimSpace(wanted))
		s.Want = float64(p)
		ms = append(ms, at(path, err)...)
		if has {
			t, err := document.ParsePoints(strings.TrimSpace(own))
			s.Tolerance = float64(t)
			ms = append(ms, at(path, err)...)
			if err == nil && t == 0 {
				ms = append(ms, document.Mistake{Path: path, Text: "no number of answers confirms a tolerance of 0", Hint: "for example 3pp"})
			}
		}
		shares = append(shares, s)
	}
	return shares, ms
}

// errorsName is the name under which failed requests are counted.
const errorsName = "errors"

// reserved refuses what may be meant as the errors, or as an outcome.
func reserved(name, hint string) error {
	if lower := strings.ToLower(name); lower == errorsName || lower == "error" {
		return document.Mistake{Text: fmt.Sprintf("%q cannot name an outcome: %s are the requests that failed", name, errorsName), Hint: hint}
	}
	return nil
}

// fraction reads a percentage; what cannot be read is otherwise.
func fraction(flag, text string, otherwise float64, ms *document.Mistakes) float64 {
	p, err := document.ParsePercent(text)
	if err != nil {
		*ms = append(*ms, at(flag, err)...)
		return otherwise
	}
	return float64(p)
}

func probability(flag, text string, otherwise float64, ms *document.Mistakes) float64 {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(p) {
		*ms = append(*ms, document.Mistake{Path: flag, Text: fmt.Sprintf("want a probability such as 0.001, got %q", text)})
		return otherwise
	}
	return p
}

// at puts an error's place in front of it.
func at(path string, err error) document.Mistakes {
	if err == nil {
		return nil
	}
	if m, ok := err.(document.Mistake); ok {
		m.Path = path
		return document.Mistakes{m}
	}
	return document.Mistakes{{Path: path, Text: err.Error()}}
}
