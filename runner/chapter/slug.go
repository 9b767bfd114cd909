package chapter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// anchors makes the anchors of a page's headings, which are told apart where
// two have the same text.
type anchors struct {
	mkdocs, github, bare map[string]bool
}

func newAnchors() *anchors {
	return &anchors{mkdocs: make(map[string]bool), github: make(map[string]bool), bare: make(map[string]bool)}
}

// of are the anchors of a heading: its own, if it has one, instead of MkDocs'.
func (a *anchors) of(text, own string) []string {
	first := own
	if own == "" {
		a.mkdocs[""] = true // a heading without a letter of ASCII is counted too: _1
		first = unique(a.mkdocs, mkdocsSlug(text), nextMkdocs)
	} else {
		a.mkdocs[own] = true
	}
	all := []string{first}
	if g := unique(a.github, githubSlug(text), nextGithub); g != first && g != "" {
		all = append(all, g)
	}
	if bare := shortcode.ReplaceAllString(text, ""); bare != text && own == "" {
		if b := unique(a.bare, mkdocsSlug(bare), nextMkdocs); b != "" && !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	return all
}

func unique(taken map[string]bool, slug string, next func(slug, first string, n int) string) string {
	first := slug
	for n := 1; taken[slug]; n++ {
		slug = next(slug, first, n)
	}
	taken[slug] = true
	return slug
}

var (
	// shortcode is an emoji as MkDocs takes it, if it is told to: then nothing of
	// it is in the anchor.
	shortcode = regexp.MustCompile(`:[a-z0-9_+-]+:`)
	notWord   = regexp.MustCompile(`[^A-Za-z0-9_\s-]`)
	dashes    = regexp.MustCompile(`[-\s]+`)
	numbered  = regexp.MustCompile(`^(.*)_([0-9]+)$`)
)

// mkdocsSlug is the anchor that Python-Markdown's extension toc makes of a
// heading (markdown.extensions.toc.slugify, with its default separator).
func mkdocsSlug(text string) string {
	ascii := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
	slug := strings.ToLower(strings.TrimSpace(notWord.ReplaceAllString(ascii, "")))
	return dashes.ReplaceAllString(slug, "-")
}

// nextMkdocs counts with an underscore, on from a number that is there already.
func nextMkdocs(slug, _ string, _ int) string {
	if m := numbered.FindStringSubmatch(slug); m != nil {
		if n, err := strconv.Atoi(m[2]); err == nil {
			return fmt.Sprintf("%s_%d", m[1], n+1)
		}
	}
	return slug + "_1"
}

// githubSlug is the anchor that GitHub makes of a heading: small letters, a
// dash for each space, and nothing else but what is part of a word (Unicode's
// \p{Word}: 4 and Ⅳ are, ² and ½ are not).
func githubSlug(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(text))
}

func nextGithub(_, first string, n int) string { return fmt.Sprintf("%s-%d", first, n) }
