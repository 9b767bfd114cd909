package sample

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// A prepared case is a request as it goes over the wire, made once.
type prepared struct {
	host    string // to dial
	port    string
	secure  *tls.Config
	wire    []byte              // as HTTP/1.1
	request *http.Request       // tells the reader of the answer the method
	fields  []hpack.HeaderField // as HTTP/2, where that may be spoken
	body    []byte
	target  int // cases with the same one may share connections; numbered from 0
}

// gateway tells apart what a connection leads to.
func (p *prepared) gateway() string {
	name := p.host + " " + p.port
	if p.secure != nil {
		name += " " + p.secure.ServerName
	}
	return name
}

// prepare makes the bytes of a request. Its errors name what is wrong with it.
func prepare(r Request, o *Options) (prepared, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return prepared{}, err
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return prepared{}, fmt.Errorf("url %q: want http://host[:port]/path or https://…", r.URL)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	req, err := http.NewRequest(r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return prepared{}, err
	}
	if err := checkHeader(r); err != nil {
		return prepared{}, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.Host != "" {
		req.Host = r.Host
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "assay")
	}
	req.Close = !o.Reuse // Connection: close
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return prepared{}, err
	}
	p := prepared{host: u.Hostname(), port: port, wire: wire.Bytes(), request: req, body: r.Body}
	if u.Scheme == "https" {
		p.secure = tlsConfig(o, req.Host, u.Hostname())
		if o.Protocol == HTTP2 {
			p.fields = fields(req, p.wire, p.body)
		}
	}
	return p, nil
}

// checkHeader refuses what would end a header line early, and fields that
// net/http would silently not send.
func checkHeader(r Request) error {
	for name, values := range r.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			return fmt.Errorf("header Host: say it as the request's host")
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
			return fmt.Errorf("header %s: it follows from the request and cannot be set", name)
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n:\x00") {
			return fmt.Errorf("header %q: not a header name", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				return fmt.Errorf("header %s: a value cannot have a line break", name)
			}
		}
	}
	if strings.ContainsAny(r.Host, " \t\r\n\x00/") {
		return fmt.Errorf("host %q: not a host", r.Host)
	}
	return nil
}

// tlsConfig asks for the host that the request names, and for the protocol.
func tlsConfig(o *Options, host, fallback string) *tls.Config {
	config := o.TLS
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = fallback
		if h, _, err := net.SplitHostPort(host); err == nil {
			config.ServerName = h
		} else if host != "" {
			config.ServerName = strings.Trim(host, "[]")
		}
	}
	config.NextProtos = []string{"http/1.1"}
	if o.Protocol == HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config
}
