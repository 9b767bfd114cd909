// Package workload runs what the tutorial's container image runs: the service
// blue-green-canary, a small HTTP server that says on GET /api which colour it
// is. The node starts one for each container, the VM one of its own. Any other
// image is refused; a process is never started.
//
// The service is configured as the real one is, by environment variables:
// BLUE_GREEN_CANARY_COLOR, BLUE_GREEN_CANARY_MESSAGE, TEXT_COLOR and MY_POD.
package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// image is the last element of the path of the one image that can be run.
const image = "blue-green-canary"

// Spec says what to run and how it is configured.
type Spec struct {
	Image string            // any registry, tag or digest
	Pod   string            // the pod's name, answered where MY_POD is not set
	Env   map[string]string // the container's environment and its .env file
	Port  int               // the containerPort that it says it listens on, such as 3000
}

// Images lists what can be run, for messages.
func Images() []string {
	return []string{image}
}

// Runs tells whether an image can be run; its registry, tag and digest do not
// matter: ghcr.io/someone/blue-green-canary:1.2@sha256:… can.
func Runs(ref string) bool {
	ref, _, _ = strings.Cut(ref, "@")
	ref = ref[strings.LastIndexByte(ref, '/')+1:]
	ref, _, _ = strings.Cut(ref, ":")
	return ref == image
}

// Service is one running container.
type Service struct {
	port   int
	server *http.Server
	addr   string
	served chan struct{} // closed when the server has ended
}

// Start runs the service on a loopback port of its own.
func Start(s Spec) (*Service, error) {
	if !Runs(s.Image) {
		return nil, fmt.Errorf("run image %q: the sandbox can run only %s", s.Image, strings.Join(Images(), ", "))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("run image %q: %w", s.Image, err)
	}
	service := &Service{
		port:   s.Port,
		server: &http.Server{Handler: handler(s), ReadHeaderTimeout: time.Minute},
		addr:   l.Addr().String(),
		served: make(chan struct{}),
	}
	go func() {
		defer close(service.served)
		_ = service.server.Serve(l) // always ErrServerClosed: only Close ends it
	}()
	return service, nil
}

// Addr is the loopback address "127.0.0.1:41811" where the service answers.
func (s *Service) Addr() string { return s.addr }

// Port is the container's port that the service says it listens on.
func (s *Service) Port() int { return s.port }

// Close lets calls that are being answered end, within two seconds, and stops.
// Take the service off the network first, or new calls are refused meanwhile.
func (s *Service) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close() // they had their time, or never asked for anything
	}
	<-s.served
	return err
}

// Kill stops at once and breaks every connection, as a machine does that loses
// its power.
func (s *Service) Kill() error {
	err := s.server.Close()
	<-s.served
	return err
}

// answer is the body of GET /api, its fields in the order of the real service.
type answer struct {
	Greeting  string `json:"greeting"`
	Count     uint64 `json:"count"`
	Pod       string `json:"pod"`
	Color     string `json:"color"`
	TextColor string `json:"textColor"`
	UserAgent string `json:"userAgent"`
}

func handler(s Spec) http.Handler {
	env := func(name, otherwise string) string {
		if v := s.Env[name]; v != "" {
			return v
		}
		return otherwise
	}
	pod := s.Pod
	if pod == "" {
		pod = "localhost"
	}
	fixed := answer{
		Greeting:  env("BLUE_GREEN_CANARY_MESSAGE", "Hello"),
		Pod:       env("MY_POD", pod),
		Color:     env("BLUE_GREEN_CANARY_COLOR", "blue"),
		TextColor: env("TEXT_COLOR", "whitesmoke"),
	}
	var calls atomic.Uint64

	mux := http.NewServeMux()
	// Every method: the real service's handler never looks at it.
	mux.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		a := fixed
		a.Count = calls.Add(1) - 1
		a.UserAgent = r.UserAgent()
		if a.UserAgent == "" {
			a.UserAgent = "unknown"
		}
		body, err := json.Marshal(a)
		if err != nil { // cannot happen: strings and a number
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s from %s (%s); ask /api\n", fixed.Greeting, fixed.Pod, fixed.Color)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	return mux
}
