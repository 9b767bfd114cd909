package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A client is a program that can be put under a load.
type client struct {
	name string
	run  func(ctx context.Context, l load) (done, error)
}

// measure runs a client's process to its end and says what it used.
func measure(ctx context.Context, prefix []string, env []string, args ...string) (out []byte, d done, err error) {
	args = append(prefix[:len(prefix):len(prefix)], args...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, d, fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, stderr.Bytes(), stdout.Bytes())
	}
	s := cmd.ProcessState
	d.CPU = s.UserTime() + s.SystemTime()
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		d.Memory = maxResident(u)
	}
	return stdout.Bytes(), d, nil
}

// sampler is this project's; portable leaves its faster loop out, and http2
// asks for HTTP/2.
func sampler(o options, name string, portable, http2 bool) client {
	return client{name, func(ctx context.Context, l load) (done, error) {
		l.Portable, l.HTTP2 = portable, http2
		text, err := json.Marshal(l)
		if err != nil {
			return done{}, err
		}
		self, err := os.Executable()
		if err != nil {
			return done{}, err
		}
		out, used, err := measure(ctx, o.clientPrefix(), []string{childLoad + "=" + string(text)}, self)
		if err != nil {
			return done{}, err
		}
		var d done
		if err := json.Unmarshal(out, &d); err != nil {
			return done{}, fmt.Errorf("what the sampler prints: %w", err)
		}
		d.CPU, d.Memory = used.CPU, used.Memory
		return d, nil
	}}
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in `)
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkFaults   = regexp.MustCompile(`(Socket errors|Non-2xx).*`)
)

// wrk runs wrk with one thread.
func wrk(o options, path string) client {
	return client{"wrk", func(ctx context.Context, l load) (done, error) {
		args := []string{path, "-t1", fmt.Sprintf("-c%d", l.Connections), fmt.Sprintf("-d%ds", int(l.Duration.Seconds()))}
		if !l.Reuse {
			args = append(args, "-H", "Connection: close")
		}
		out, d, err := measure(ctx, o.clientPrefix(), nil, append(args, l.URL)...)
		if err != nil {
			return d, err
		}
		if fault := wrkFaults.Find(out); fault != nil {
			return d, fmt.Errorf("wrk says %q", fault)
		}
		return d, d.from(out, wrkRequests, wrkRate)
	}}
}

var (
	heyRequests = regexp.MustCompile(`\[200\]\s+(\d+) responses`)
	heyRate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
)

// hey runs hey. For HTTPS it would take HTTP/2 only when told so.
func hey(o options, path string) client {
	return client{"hey", func(ctx context.Context, l load) (done, error) {
		args := []string{path, "-z", l.Duration.String(), "-c", strconv.Itoa(l.Connections)}
		if !l.Reuse {
			args = append(args, "-disable-keepalive")
		}
		out, d, err := measure(ctx, o.clientPrefix(), nil, append(args, l.URL)...)
		if err != nil {
			return d, err
		}
		return d, d.from(out, heyRequests, heyRate)
	}}
}

// fortioResult is what is read of fortio's result in JSON.
type fortioResult struct {
	ActualQPS         float64
	DurationHistogram struct{ Count int64 }
	RetCodes          map[string]int64
}

// fortio runs fortio with its own fast client, and without its pauses.
func fortio(o options, path string) client {
	return client{"fortio", func(ctx context.Context, l load) (done, error) {
		out, d, err := measure(ctx, o.clientPrefix(), nil, path, "load", "-quiet", "-json", "-", "-qps", "0", "-c", strconv.Itoa(l.Connections),
			"-t", l.Duration.String(), fmt.Sprintf("-keepalive=%t", l.Reuse), l.URL)
		if err != nil {
			return d, err
		}
		var r fortioResult
		if err := json.Unmarshal(out, &r); err != nil {
			return d, fmt.Errorf("what fortio prints: %w", err)
		}
		if r.RetCodes["200"] != r.DurationHistogram.Count {
			return d, fmt.Errorf("fortio says %v", r.RetCodes)
		}
		d.set(r.DurationHistogram.Count, r.ActualQPS)
		return d, nil
	}}
}

func (d *done) set(requests int64, rate float64) {
	d.Requests, d.Elapsed = requests, time.Duration(float64(requests)/rate*float64(time.Second))
}

// from reads from a program's output how many requests it sent, and how fast.
func (d *done) from(out []byte, requests, rate *regexp.Regexp) error {
	n, r := requests.FindSubmatch(out), rate.FindSubmatch(out)
	if n == nil || r == nil {
		return fmt.Errorf("the output has no number of requests or no rate:\n%s", out)
	}
	count, err := strconv.ParseInt(string(n[1]), 10, 64)
	perSecond, err2 := strconv.ParseFloat(string(r[1]), 64)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	d.set(count, perSecond)
	return nil
}
