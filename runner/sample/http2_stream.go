package sample

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A stream is one request over HTTP/2 and its answer.
type stream struct {
	*streams
	id     uint32
	rest   []byte // of the request's body, still to be sent
	sent   int64  // bytes of it
	window int64  // more of it that the gateway takes, as it said for this stream

	any    bool // a header came, be it an interim one
	final  bool // the header of the answer came
	status int
	header http.Header
	length int64 // as the header has it; -1: not said
	ended  bool
	empty  int // frames that brought nothing of the answer
	fault  Fault
	detail string
}

// stream sends a request over HTTP/2 and says whether the connection may carry
// another one. The first byte of the answer is here the first header frame.
func (x *exchanger) stream(ctx context.Context, l *link, c *prepared, o *Observation, whole time.Time) bool {
	s := &stream{streams: l.two, id: l.two.next, rest: c.body, length: -1}
	l.two.next += 2
	// Frames have heads of their own, and some belong to no stream.
	s.allow(16*x.options.BodyLimit + 2*HeaderLimit)
	s.ask(c)
	for !s.ended && s.fault == "" {
		if s.send() {
			continue
		}
		s.writer.Flush()
		f, err := s.read()
		if err != nil {
			s.broken(err, l.used)
			break
		}
		before := s.any
		x.take(s, f)
		if s.any && !before {
			setDeadline(ctx, l.raw, whole)
		}
	}
	o.Status = s.status
	if s.fault == "" {
		s.checkLength(c.request.Method, len(x.body))
	}
	if s.fault != "" {
		o.Fault, o.Detail = s.fault, s.detail
		return false
	}
	o.settle(x.options.Classifier, netHeader(s.header), x.body)
	return s.goAway == "" && len(s.rest) == 0 && s.id < 1<<30
}

// emptyMost is how many frames an answer may have that bring no body: headers,
// settings, pings and the like cost more to take than to send.
const emptyMost = 1000

// ask writes the header of the request.
func (s *stream) ask(c *prepared) {
	s.block.Reset()
	for _, f := range c.fields {
		s.encoder.WriteField(f)
	}
	block := s.block.Bytes()
	for first := true; first || len(block) > 0; first = false {
		part := block[:min(len(block), s.frameMost)]
		block = block[len(part):]
		if first {
			s.framer.WriteHeaders(http2.HeadersFrameParam{
				StreamID: s.id, BlockFragment: part, EndHeaders: len(block) == 0, EndStream: len(s.rest) == 0,
			})
		} else {
			s.framer.WriteContinuation(s.id, len(block) == 0, part)
		}
	}
}

// send writes a part of the body; false when there is none left, or the gateway
// takes no more for now.
func (s *stream) send() bool {
	n := min(int64(len(s.rest)), int64(s.frameMost), s.streams.window, s.initial+s.window-s.sent)
	if n <= 0 {
		return false
	}
	part := s.rest[:n]
	s.rest = s.rest[n:]
	s.sent += n
	s.streams.window -= n
	s.framer.WriteData(s.id, len(s.rest) == 0, part)
	return true
}

// take sees what a frame has for this stream. Frames for earlier streams, which
// are over, say nothing.
func (x *exchanger) take(s *stream, f http2.Frame) {
	if away, ok := f.(*http2.GoAwayFrame); ok && away.LastStreamID < s.id {
		s.fault, s.detail = GoAway, s.goAway+": the request was not taken"
	}
	if data, ok := f.(*http2.DataFrame); !ok || len(data.Data()) == 0 {
		if s.empty++; s.empty > emptyMost {
			s.fault, s.detail = TooLarge, "more than "+strconv.Itoa(emptyMost)+" frames that bring no body"
		}
	}
	if f.Header().StreamID != s.id || s.fault != "" {
		return
	}
	switch f := f.(type) {
	case *http2.WindowUpdateFrame:
		s.window += int64(f.Increment)
	case *http2.RSTStreamFrame:
		s.fault, s.detail = StreamReset, "RST_STREAM ("+f.ErrCode.String()+")"
	case *http2.MetaHeadersFrame:
		s.any = true
		x.takeHeader(s, f)
	case *http2.DataFrame:
		if !s.final {
			s.fault, s.detail = Malformed, "a body before its header"
			return
		}
		x.body = append(x.body, f.Data()...)
		if limit := x.options.BodyLimit; int64(len(x.body)) > limit {
			s.fault, s.detail = tooLargeBody(limit)
			return
		}
		s.ended = f.StreamEnded()
	}
}

// takeHeader takes an interim header, that of the answer, or a trailer.
func (x *exchanger) takeHeader(s *stream, f *http2.MetaHeadersFrame) {
	switch {
	case f.Truncated:
		s.fault, s.detail = TooLarge, "the header has more than "+bytesText(HeaderLimit)
		return
	case len(f.Fields) > HeaderLines:
		s.fault, s.detail = TooLarge, "the header has more than "+strconv.Itoa(HeaderLines)+" lines"
		return
	case s.final:
		if s.ended = f.StreamEnded(); !s.ended {
			s.fault, s.detail = Malformed, "a second header"
		}
		return
	}
	text := f.PseudoValue("status")
	status, err := strconv.Atoi(text)
	if err != nil || len(text) != 3 || status < 100 {
		s.fault, s.detail = Malformed, "status "+strconv.Quote(text)
		return
	}
	if status == http.StatusSwitchingProtocols || status < 200 && f.StreamEnded() {
		s.status, s.fault, s.detail = status, Malformed, "no answer after an interim one"
		return
	}
	if status < 200 {
		return // another interim answer: the final one follows
	}
	s.final, s.status, s.ended = true, status, f.StreamEnded()
	s.header = make(http.Header, len(f.Fields))
	x.tap.head = append(x.tap.head[:0], "HTTP/2.0 "+text+"\r\n"...)
	for _, field := range f.RegularFields() {
		s.header.Add(field.Name, field.Value)
		if len(x.tap.head) < headKept {
			x.tap.head = append(x.tap.head, field.Name+": "+field.Value+"\r\n"...)
		}
	}
	x.tap.head = x.tap.head[:min(len(x.tap.head), headKept)]
	if n, err := strconv.ParseInt(s.header.Get("Content-Length"), 10, 64); err == nil {
		s.length = n
	}
}

// checkLength compares the body with the length that its header had.
func (s *stream) checkLength(method string, got int) {
	if method == http.MethodHead || s.status == http.StatusNotModified {
		return
	}
	if s.length >= 0 && s.length != int64(got) {
		s.fault, s.detail = Malformed, "a body of "+strconv.Itoa(got)+" bytes with content-length "+strconv.FormatInt(s.length, 10)
	}
}

// broken says what it means that reading a frame failed.
func (s *stream) broken(err error, used bool) {
	switch end := s.in.err; {
	case end == nil && errors.Is(err, errTooLarge):
		s.fault, s.detail = TooLarge, "the header has more than "+bytesText(HeaderLimit)
	case end == nil:
		s.fault, s.detail = Malformed, err.Error()
		if more := s.framer.ErrorDetail(); more != nil {
			s.detail += ": " + more.Error()
		}
	case errors.Is(end, errTooLarge) && s.final:
		s.fault, s.detail = TooLarge, "more was sent than the body's bound allows"
	case errors.Is(end, errTooLarge):
		s.fault, s.detail = TooLarge, "the header did not come within the bound"
	case s.goAway != "" && !timedOut(end):
		s.fault, s.detail = GoAway, s.goAway+": closed before the answer was whole"
	default:
		s.fault, s.detail = endFault(ended(end, s.writer.Flush()), s.any, used)
	}
}

// fields are the header of a request as HTTP/2 has it: what HTTP/1.1 says in its
// first line and in Host comes first, names are in small letters, and what is
// about the connection is left out (RFC 9113, 8.2.2 and 8.3.1).
func fields(req *http.Request, wire []byte, body []byte) []hpack.HeaderField {
	lines := strings.SplitN(string(wire), "\r\n", 3) // "GET /path HTTP/1.1", "Host: gateway"
	words := strings.SplitN(lines[0], " ", 3)
	list := []hpack.HeaderField{
		{Name: ":method", Value: words[0]},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: strings.TrimPrefix(lines[1], "Host: ")},
		{Name: ":path", Value: words[1]},
	}
	for name, values := range req.Header {
		switch name = strings.ToLower(name); name {
		case "keep-alive", "proxy-connection", "upgrade":
			continue
		}
		for _, v := range values {
			if v != "" || name != "user-agent" {
				list = append(list, hpack.HeaderField{Name: name, Value: v})
			}
		}
	}
	if len(body) > 0 {
		list = append(list, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(body))})
	}
	return list
}
