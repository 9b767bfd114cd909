package runner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/sample"
)

// A caller makes one call, on a connection of its own. Its error says why there
// was no answer; it is a *trouble when that says nothing of what was called.
type caller interface {
	call(ctx context.Context, r sample.Request) (*answered, error)
}

// trouble is why a call could not be made at all: of the client, and not of
// what it called.
type trouble struct{ err error }

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

func isTrouble(err error) bool {
	var t *trouble
	return errors.As(err, &t)
}

const (
	// callTimeout bounds one call; one by a command has commandExtra for the
	// way there (a login takes its time).
	callTimeout  = 10 * time.Second
	commandExtra = 20 * time.Second
	// bodyLimit is how much of an answer's body is read.
	bodyLimit = 1 << 20
)

// direct calls from this machine, or through a proxy.
type direct struct{ client *http.Client }

// newDirect takes no notice of $HTTP_PROXY: what is told of a mesh must not
// depend on the shell that it is told in.
func newDirect() direct { return newProxied(nil) }

func newProxied(proxy *url.URL) direct {
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return direct{&http.Client{
		Transport: t, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (d direct) call(ctx context.Context, r sample.Request) (*answered, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, &trouble{err}
	}
	if len(r.Body) == 0 {
		request.Body = http.NoBody
	}
	request.Header = headerOf(r)
	request.Host = r.Host
	answer, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	return read(answer)
}

// headerOf is the header to send: the request's, and who asks.
func headerOf(r sample.Request) http.Header {
	h := r.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	if _, ok := h["User-Agent"]; !ok {
		h.Set("User-Agent", "assay")
	}
	return h
}

func read(answer *http.Response) (*answered, error) {
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	if err != nil {
		return nil, fmt.Errorf("the answer ended early: %w", err)
	}
	return &answered{answer.StatusCode, answer.Header, body}, nil
}

// remote calls from elsewhere: a command that runs the shell command given as
// its last argument there, such as `vagrant ssh -c`, `ssh HOST` or
// `kubectl exec deploy/x -- sh -c`. There curl and base64 must be installed.
type remote []string

// What stands around what curl said: a login may print a greeting.
const (
	saidFrom = "assay-call-begins"
	saidTo   = "assay-call-ends"
)

func (c remote) call(ctx context.Context, r sample.Request) (*answered, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout+commandExtra)
	defer cancel()
	cmd := exec.CommandContext(ctx, c[0], append(slices.Clone(c[1:]), curl(r))...)
	cmd.WaitDelay = time.Second // for what a killed command leaves behind that holds its output
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limitedBuffer{&out, 3 * bodyLimit}, &limitedBuffer{&errs, 1 << 16}
	err := cmd.Run()
	said, found := between(out.String())
	if !found {
		text := strings.TrimSpace(errs.String() + "\n" + out.String())
		if err == nil {
			err = errors.New("it said nothing of the call")
		}
		return nil, &trouble{fmt.Errorf("%s: %w: %s", c[0], err, excerpt([]byte(text)))}
	}
	return answerOf(said, r.Method)
}

// limitedBuffer keeps the first bytes that are written to it.
type limitedBuffer struct {
	*bytes.Buffer
	left int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	kept := p[:min(len(p), l.left)]
	l.left -= len(kept)
	l.Buffer.Write(kept)
	return len(p), nil
}

// curl is the shell command that makes a call and says, between two marks and
// in base64, the raw answer and the exit code of curl. Base64, because what is
// between here and there may have a terminal, which changes line breaks and
// mixes errors into the output.
func curl(r sample.Request) string {
	args := []string{
		"curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--globoff", "--path-as-is",
		"--http1.1", "--raw", "--include", "--max-time", strconv.Itoa(int(callTimeout / time.Second)),
	}
	if r.Method == http.MethodHead {
		args = append(args, "--head")
	} else {
		args = append(args, "--request", r.Method)
	}
	header := headerOf(r)
	if r.Host != "" {
		header.Set("Host", r.Host)
	}
	if len(r.Body) > 0 {
		args = append(args, "--data-raw", string(r.Body))
		if _, ok := header["Content-Type"]; !ok {
			args = append(args, "--header", "Content-Type:") // curl would call it a form
		}
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			field := name + ": " + value
			if value == "" {
				field = name + ";" // "NAME:" would mean that it is not sent
			}
			args = append(args, "--header", field)
		}
	}
	args = append(args, "--url", r.URL)
	for i, a := range args {
		args[i] = quoted(a)
	}
	return fmt.Sprintf("echo %s; { %s; printf '\\n%%s' $?; } 2>&1 | base64; echo %s", saidFrom, strings.Join(args, " "), saidTo)
}

// quoted makes a text one word of a POSIX shell.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// between is what stands between the marks.
func between(out string) (string, bool) {
	_, rest, ok := strings.Cut(out, saidFrom)
	if !ok {
		return "", false
	}
	said, _, ok := strings.Cut(rest, saidTo)
	return said, ok
}

// answerOf reads what curl said: a raw answer, or what went wrong, and behind
// the last line break its exit code.
func answerOf(said, method string) (*answered, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(said), ""))
	if err != nil {
		return nil, &trouble{fmt.Errorf("what base64 said there cannot be read (%w): %s", err, excerpt([]byte(said)))}
	}
	end := bytes.LastIndexByte(raw, '\n')
	if end < 0 {
		return nil, &trouble{fmt.Errorf("curl and base64 must be installed there: %s", excerpt(raw))}
	}
	text, code := raw[:end], string(raw[end+1:])
	switch code {
	case "0":
	case "126", "127":
		return nil, &trouble{fmt.Errorf("curl must be installed there: %s", strings.TrimSpace(string(text)))}
	default:
		return nil, fmt.Errorf("%s (exit code %s of curl)", lastLine(text), code)
	}
	from := bufio.NewReader(bytes.NewReader(text))
	for {
		answer, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			return nil, fmt.Errorf("not an answer in HTTP: %w", err)
		}
		if answer.StatusCode >= 200 || answer.StatusCode == http.StatusSwitchingProtocols {
			return read(answer)
		}
	}
}

// lastLine is where curl says what went wrong, be it behind half an answer.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
