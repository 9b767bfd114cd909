package report

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/meshassay/assay/runner/record"
)

var shots = flag.String("shots", "", "folder to write pictures of the pages to, to be looked at")

// browser returns the path of a Chromium. Without one the test is skipped, or
// fails when ASSAY_BROWSER is "required", as CI has it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium is installed: apt-get install --no-install-recommends chromium"
	if os.Getenv("ASSAY_BROWSER") == "required" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// A tab is a page in a browser, and what the browser had to say of it.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// open shows a run's page as a browser of this width and colour scheme does.
func open(t *testing.T, browser context.Context, r *record.Record, width int64, scheme string) *tab {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	call(p, runtime.Enable, cdp.Empty{})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	act(p, chromedp.EmulateViewport(width, 900))
	act(p, chromedp.Navigate("file://"+file))
	return p
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		p.complaints = append(p.complaints, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		p.complaints = append(p.complaints, fmt.Sprint("console ", e.Type))
	case *runtime.EventExceptionThrown:
		p.complaints = append(p.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// patience is how long the browser may take for one thing.
const patience = time.Minute

// act has the browser do one thing.
func act[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// call sends a command of the browser's protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, command, params); err != nil {
		p.t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](p *tab, expression string) T {
	p.t.Helper()
	return act(p, chromedp.Evaluate[T](expression))
}

// quiet fails if the browser complained, or asked for more than the page.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.complaints) > 0 {
		p.t.Errorf("the browser complains:\n%s", strings.Join(p.complaints, "\n"))
	}
	loaded := 0
	for _, url := range p.requests {
		switch {
		case strings.HasPrefix(url, "file://") && strings.HasSuffix(url, "/report.html"):
			loaded++
		case !strings.HasPrefix(url, "data:"):
			p.t.Errorf("the page asked for %s", url)
		}
	}
	if loaded != 1 {
		p.t.Errorf("the page was loaded %d times; this test sees no requests", loaded)
	}
}

// tooWide lists what is drawn beyond the right edge, but for what scrolls by
// itself.
const tooWide = `[...document.querySelectorAll('body *')].filter(e => {
  const r = e.getBoundingClientRect();
  return r.width > 1 && r.right > innerWidth + 1 && !e.closest('.scroll,pre,.patterns') && !e.classList.contains('skip');
}).slice(0, 5).map(e => e.outerHTML.slice(0, 120))`

func runs(t *testing.T) map[string]*record.Record {
	passing := run(t)
	passing.Scenarios = passing.Scenarios[:2]
	passing.Scenarios[1].Steps = passing.Scenarios[1].Steps[:2]
	return map[string]*record.Record{"passing": passing, "failing": run(t), "hostile": hostile()}
}

// All in one browser, for to start one takes longer than to show a page.
func TestInABrowser(t *testing.T) {
	browser := openBrowser(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"pages": showPages, "figures": drawFigures, "keyboard": useKeyboard, "paper": putOnPaper,
	} {
		t.Run(name, func(t *testing.T) { test(t, browser) })
	}
}

func showPages(t *testing.T, browser context.Context) {
	for name, r := range runs(t) {
		for _, width := range []int64{360, 1400} {
			for _, scheme := range []string{"light", "dark"} {
				if name == "hostile" && (width == 360) != (scheme == "light") {
					continue // two of the four show it
				}
				t.Run(fmt.Sprintf("%s-%d-%s", name, width, scheme), func(t *testing.T) {
					p := open(t, browser, r, width, scheme)
					if got := ask[int64](p, "document.documentElement.scrollWidth"); got > width {
						t.Errorf("%d wide on a screen of %d", got, width)
					}
					if got := ask[[]string](p, tooWide); len(got) > 0 {
						t.Errorf("beyond the right edge:\n%s", strings.Join(got, "\n"))
					}
					if got, want := ask[string](p, "document.querySelector('h1').innerText.trim()"), Overall(r).Headline; got != want {
						t.Errorf("headline %q, want %q", got, want)
					}
					dark := ask[bool](p, "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every(c => c < 64)")
					if dark != (scheme == "dark") {
						t.Errorf("dark: %v", dark)
					}
					p.picture(t)
					p.quiet()
				})
			}
		}
	}
}

// picture writes what is seen to the folder of -shots.
func (p *tab) picture(t *testing.T) {
	if *shots == "" {
		return
	}
	file := filepath.Join(*shots, filepath.Base(t.Name())+".png")
	if err := os.WriteFile(file, act(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drawn counts figures that have an extent and something in it.
const drawn = `[...document.querySelectorAll(%q)].filter(e => e.getBoundingClientRect().width > 60 && e.querySelector('rect')).length`

func drawFigures(t *testing.T, browser context.Context) {
	p := open(t, browser, run(t), 1400, "light")
	if got := ask[int](p, "document.querySelectorAll('details.step[open]').length"); got != 3 {
		t.Errorf("%d steps are open, want the 3 that did not pass", got)
	}
	ask[int](p, "document.querySelector('.glance a').click(), 0")
	if !act(p, chromedp.Poll[bool](`document.querySelector(document.querySelector('.glance a').hash).closest('details').open`, chromedp.WithPollingTimeout(patience))) {
		t.Error("a link to a step that is folded up does not unfold it")
	}
	ask[int](p, "document.querySelectorAll('details').forEach(d => d.open = true), 0")
	for selector, want := range map[string]int{
		".sample":                      4,
		".shares .draw svg":            4*3 + 4, // three shares and the errors, on each of four samples
		".charts svg":                  3 * 4,   // the leak came too early for a course
		".lanes svg":                   1,       // at least
		".glance .stack svg":           4,
		".callout":                     1,     // at least
		".seen li":                     6 + 3, // objects and events
		".again code":                  1,
		"table.list tbody tr":          3,
		"main h2, main h3, main h4":    10,
		"details[open] .sample.failed": 2,
	} {
		got := ask[int](p, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
		if strings.HasSuffix(selector, "svg") {
			got = ask[int](p, fmt.Sprintf(drawn, selector))
		}
		if got < want {
			t.Errorf("%s: %d, want at least %d", selector, got, want)
		}
	}
	// A bar is as long as its share, and what fills it is a pattern that exists.
	got := ask[float64](p, `(() => { const s = document.querySelector('.shares .draw svg'); return s.querySelector('.share').getBoundingClientRect().width / s.getBoundingClientRect().width })()`)
	if got < .39 || got > .42 {
		t.Errorf("blue's bar is %.3f of the width, want 0.403", got)
	}
	if got := ask[int](p, `[...document.querySelectorAll('[fill^="url(#"]')].filter(e => !document.getElementById(e.getAttribute('fill').slice(5, -1))).length`); got > 0 {
		t.Errorf("%d fills without their pattern", got)
	}
	p.quiet()
}

func useKeyboard(t *testing.T, browser context.Context) {
	p := open(t, browser, run(t), 1400, "light")
	act(p, chromedp.KeyEvent(kb.Tab))
	if got := ask[string](p, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop is %q, want the link to the results", got)
	}
	act(p, chromedp.KeyEvent(kb.Enter))
	if got := ask[string](p, "document.activeElement.id"); got != "main" {
		t.Errorf("the link goes to %q", got)
	}
	// Every step can be reached and opened.
	closed := `[...document.querySelectorAll('details')].filter(d => !d.open).length`
	before := ask[int](p, closed)
	for range 80 {
		act(p, chromedp.KeyEvent(kb.Tab))
		if ask[bool](p, "document.activeElement.tagName == 'SUMMARY' && !document.activeElement.parentNode.open") {
			act(p, chromedp.KeyEvent(kb.Enter))
		}
	}
	if after := ask[int](p, closed); before == 0 || after > 0 {
		t.Errorf("%d of %d details could not be opened", after, before)
	}
	p.quiet()
}

func putOnPaper(t *testing.T, browser context.Context) {
	p := open(t, browser, run(t), 1000, "light")
	const hiddenPre = `[...document.querySelectorAll('details pre')].filter(e => !e.checkVisibility()).map(e => e.parentNode.outerHTML.slice(0, 200))`
	if got := ask[[]string](p, hiddenPre); len(got) == 0 {
		t.Error("nothing is folded up on the screen; this test shows nothing")
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if got := ask[[]string](p, hiddenPre); len(got) > 0 {
		t.Errorf("missing on paper:\n%s", strings.Join(got, "\n"))
	}
	if pdf := act(p, chromedp.PrintToPDF(chromedp.PDFPrintBackground())); !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Error("it does not print")
	}
	p.quiet()
}
