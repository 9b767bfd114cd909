package sample

import (
	"bytes"
	"net/http"
)

// A wire reads one answer of HTTP/1.1 from bytes as they come, without copying
// and without allocating. It knows the plain cases only, and each as net/http
// does: whatever else it meets it calls odd, and the reader of the portable
// path says what that is. So there is one truth about what is no HTTP.
type wire struct {
	headMethod bool // the answer to HEAD has no body
	limit      int64

	stage   stage
	pos     int // what is before it has been read
	lines   int // of the header
	start   int // where the answer begins, after interim ones
	fields  int // where its header fields begin
	head    int // where its body begins
	status  int
	minor   int   // of HTTP/1.x
	length  int64 // -1: not said
	chunked bool
	ends    bool   // the header says that the connection ends with this answer
	keep    bool   // or that it does not
	close   bool   // it ends
	end     int    // of the answer, once it is whole
	size    int64  // of the body, as far as it is known
	buf     []byte // the bytes of the last call
}

type stage uint8

const (
	atStatus stage = iota
	atField
	atBody
	atChunk
	atEnd
)

// progress is how far a wire has come.
type progress uint8

const (
	more  progress = iota // bytes are missing
	whole                 // the answer is complete
	odd                   // nothing for this reader
)

// A header of more bytes or lines than that is odd; what is too much for anybody
// is more.
const (
	wireBytes = 16 << 10
	wireLines = 500
)

// begin makes it ready for an answer.
func (w *wire) begin(headMethod bool, limit int64) {
	*w = wire{headMethod: headMethod, limit: limit, length: -1}
}

// read goes on reading; buf has everything since the answer began, and what was
// in it before must be the same as in the call before.
func (w *wire) read(buf []byte) progress {
	w.buf = buf
	for w.stage < atBody {
		if w.pos > wireBytes {
			return odd
		}
		n := bytes.IndexByte(buf[w.pos:], '\n')
		if n < 0 {
			if len(buf)-w.pos > wireBytes {
				return odd
			}
			return more
		}
		// A line that ends without a carriage return may be fine, or a trick.
		if n == 0 || buf[w.pos+n-1] != '\r' {
			return odd
		}
		line := buf[w.pos : w.pos+n-1]
		w.pos += n + 1
		if w.lines++; w.lines > wireLines || !w.line(line) {
			return odd
		}
	}
	return w.body()
}

// line reads a line of the header; false when it is odd.
func (w *wire) line(line []byte) bool {
	switch {
	case w.stage == atStatus:
		w.stage, w.fields = atField, w.pos
		return w.statusLine(line)
	case len(line) > 0:
		return w.field(line)
	case w.status >= 200:
		return w.headEnds()
	case w.status == http.StatusSwitchingProtocols || w.chunked || w.length >= 0:
		return false
	}
	// An interim answer: another one follows.
	w.stage, w.start, w.ends, w.keep = atStatus, w.pos, false, false
	return true
}

// statusLine reads "HTTP/1.1 200 OK", and without the reason and its blank.
func (w *wire) statusLine(line []byte) bool {
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' ||
		len(line) > 12 && line[12] != ' ' {
		return false
	}
	w.minor, w.status = int(line[7]-'0'), 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return false
		}
		w.status = 10*w.status + int(c-'0')
	}
	return w.status >= 100 && bytes.IndexByte(line, '\r') < 0
}

// field reads "Name: value".
func (w *wire) field(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false
	}
	for _, c := range line[:colon] {
		if !isToken[c] {
			return false
		}
	}
	name, value := line[:colon], line[colon+1:]
	if !isText(value) {
		return false
	}
	switch len(name) {
	case len("Connection"):
		if fold(name, "connection") {
			return w.connection(blank(value))
		}
	case len("Content-Length"):
		if fold(name, "content-length") {
			return w.contentLength(blank(value))
		}
	case len("Transfer-Encoding"):
		if fold(name, "transfer-encoding") {
			// Two codings, or one with HTTP/1.0, are nothing to guess about.
			odd := w.chunked || w.minor == 0 || !fold(blank(value), "chunked")
			w.chunked = true
			return !odd
		}
	case len("Trailer"):
		return !fold(name, "trailer")
	}
	return true
}

// connection reads a list such as "keep-alive, Upgrade".
func (w *wire) connection(list []byte) bool {
	for len(list) > 0 {
		var token []byte
		token, list, _ = bytes.Cut(list, comma)
		token = blank(token)
		w.ends = w.ends || fold(token, "close")
		w.keep = w.keep || fold(token, "keep-alive")
	}
	return true
}

func (w *wire) contentLength(digits []byte) bool {
	if w.length >= 0 || len(digits) == 0 || len(digits) > 15 {
		return false
	}
	w.length = 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		w.length = 10*w.length + int64(c-'0')
	}
	return true
}

// headEnds says how the body ends.
func (w *wire) headEnds() bool {
	w.head, w.stage = w.pos, atBody
	w.close = w.ends || w.minor == 0 && !w.keep
	switch {
	case w.chunked && w.length >= 0:
		return false
	case w.headMethod, w.status == http.StatusNoContent, w.status == http.StatusNotModified:
		w.length = 0
		return !w.chunked
	case w.chunked:
		w.stage = atChunk
	case w.length < 0:
		w.close = true
	}
	return w.length <= w.limit
}

// body goes on reading the body.
func (w *wire) body() progress {
	switch {
	case w.stage == atEnd:
		return whole
	case w.stage == atChunk:
		return w.chunks()
	case w.length < 0: // until the connection is closed
		w.size = int64(len(w.buf) - w.head)
		if w.size > w.limit {
			return odd
		}
		return more
	case int64(len(w.buf)-w.head) < w.length:
		return more
	}
	w.size, w.end, w.stage = w.length, w.head+int(w.length), atEnd
	return whole
}

// chunks steps from one chunk to the next. The body is put together when all
// are here: until then the bytes stay as they came.
func (w *wire) chunks() progress {
	for {
		size, digits := int64(0), 0
		at := w.pos
		for ; at < len(w.buf); at++ {
			d := hexDigit[w.buf[at]]
			if d < 0 {
				break
			}
			size = 16*size + int64(d)
			if digits++; digits > 8 {
				return odd
			}
		}
		switch {
		case at == len(w.buf), w.buf[at] == '\r' && at+1 == len(w.buf):
			return more
		case digits == 0, w.buf[at] != '\r', w.buf[at+1] != '\n': // an extension, or worse
			return odd
		}
		at += 2 + int(size)
		if w.size+size > w.limit {
			return odd
		}
		if at+2 > len(w.buf) {
			return more
		}
		if w.buf[at] != '\r' || w.buf[at+1] != '\n' { // after the last one: a trailer
			return odd
		}
		w.size, w.pos = w.size+size, at+2
		// All of it is kept until the end. Chunks of a byte each would fill the memory
		// with what stands around them.
		if int64(w.pos-w.head)-w.size > wireBytes {
			return odd
		}
		if size == 0 {
			w.end, w.stage = w.pos, atEnd
			return whole
		}
	}
}

// closed says that the connection was closed in order; true when the answer is
// whole by that.
func (w *wire) closed() bool {
	if w.stage != atBody || w.length >= 0 {
		return false
	}
	w.end, w.stage = len(w.buf), atEnd
	return true
}

// content is the body of a whole answer. Chunks are moved together for it, so
// that buf is no longer as it came.
func (w *wire) content() []byte {
	if !w.chunked {
		return w.buf[w.head : w.head+int(w.size)]
	}
	from, to := w.head, -1
	for {
		size := 0
		for ; w.buf[from] != '\r'; from++ {
			size = 16*size + int(hexDigit[w.buf[from]])
		}
		from += 2
		if to < 0 {
			w.head, to = from, from
		}
		copy(w.buf[to:], w.buf[from:from+size])
		to, from = to+size, from+size+2
		if size == 0 {
			return w.buf[w.head:to]
		}
	}
}

// reusable says whether another request may go over the connection: the answer
// is whole, nothing follows it, and the header has nothing against it.
func (w *wire) reusable() bool { return !w.close && w.end == len(w.buf) }

// First is the first value of a header field, of those that net/http shows: it
// takes the fields of the connection away, and knows an old way to say
// Cache-Control.
func (w *wire) First(name string) ([]byte, bool) {
	if name == "Transfer-Encoding" || name == "Connection" && w.ends && w.minor > 0 {
		return nil, false
	}
	value, ok := w.first(name)
	if !ok && name == "Cache-Control" {
		if old, _ := w.first("Pragma"); string(old) == "no-cache" {
			return old, true
		}
	}
	return value, ok
}

func (w *wire) first(name string) ([]byte, bool) {
	rest := w.buf[w.fields:]
	for {
		n := bytes.IndexByte(rest, '\r')
		if n <= 0 {
			return nil, false
		}
		if n > len(name) && rest[len(name)] == ':' && fold(rest[:len(name)], name) {
			return blank(rest[len(name)+1 : n]), true
		}
		rest = rest[n+2:]
	}
}
