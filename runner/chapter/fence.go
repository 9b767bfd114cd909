package chapter

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// fence is what stands behind the opening fence of a block.
type fence struct {
	language string
	title    string
	fenced   bool // it is no block by indentation alone
}

// titled is title="half.yaml", as MkDocs has it, and file=, as others do.
var titled = regexp.MustCompile(`(?:^|[\s{,])(?:title|file|filename)=(?:"([^"]*)"|'([^']*)'|([^\s"'}]+))`)

// info reads what a fence says: ```bash title="x.sh", ``` {.bash .copy}, ```sh{1,2}.
func (p *pageParser) info(n *ast.FencedCodeBlock) fence {
	f := fence{fenced: true}
	if n.Info == nil {
		return f
	}
	info := strings.TrimSpace(string(n.Info.Segment.Value(p.source)))
	if m := titled.FindStringSubmatch(info); m != nil {
		f.title = m[1] + m[2] + m[3]
	}
	f.language = language(info)
	return f
}

func language(info string) string {
	if rest, ok := strings.CutPrefix(info, "{"); ok {
		for _, word := range strings.Fields(strings.TrimSuffix(rest, "}")) {
			if class, ok := strings.CutPrefix(word, "."); ok {
				return strings.ToLower(class)
			}
		}
		return ""
	}
	first, _, _ := strings.Cut(strings.Fields(info + " -")[0], "{")
	if first == "-" || strings.Contains(first, "=") {
		return ""
	}
	return strings.ToLower(first)
}
