package sample

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// streams is HTTP/2 on a connection, for one request at a time. Frames and
// header compression are the library's. The client of that library is not used:
// it reads beside the request that it sends, so that what a gateway did on the
// connection (RST_STREAM, GOAWAY, a close, a reset) cannot be told apart for
// sure, and some of it makes it send a request again.
type streams struct {
	link    *link
	in      incoming
	reader  *bufio.Reader // over in
	writer  *bufio.Writer
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer // what the encoder wrote

	next      uint32 // the number of the next stream
	greeted   bool   // the gateway's first SETTINGS came
	window    int64  // bytes that the gateway takes on the connection
	initial   int64  // and on a new stream
	frameMost int    // and in a frame
	owed      uint32 // bytes read and not yet given back to its window
	goAway    string // what it said when it took leave; "" before
}

const (
	// frameSize is how long a frame of either side may be until SETTINGS say more
	// (RFC 9113, 6.5.2); this side never does.
	frameSize = 16 << 10
	// windowFirst is how many bytes may be sent until SETTINGS say more (6.9.2).
	windowFirst = 1<<16 - 1
	// windowGiven is what this side gives. What is read is bounded by this side
	// itself, so the gateway's sending need not be.
	windowGiven = 1 << 30
)

// incoming reads from the connection within a bound, and remembers how reading
// ended.
type incoming struct {
	conn io.Reader
	left int64
	err  error
}

func (in *incoming) Read(p []byte) (int, error) {
	if in.left <= 0 {
		in.err = errTooLarge
	}
	if in.err != nil {
		return 0, in.err
	}
	n, err := in.conn.Read(p[:min(int64(len(p)), in.left)])
	in.left -= int64(n)
	if err != nil {
		in.err = err
	}
	return n, err
}

// newStreams begins HTTP/2. What it writes goes out with the first request.
func newStreams(l *link) *streams {
	s := &streams{link: l, next: 1, window: windowFirst, initial: windowFirst, frameMost: frameSize}
	s.in.conn = l.conn
	s.reader = bufio.NewReaderSize(&s.in, 4<<10)
	s.writer = bufio.NewWriterSize(l.conn, 4<<10)
	s.encoder = hpack.NewEncoder(&s.block)
	s.framer = http2.NewFramer(s.writer, s.reader)
	s.framer.SetMaxReadFrameSize(frameSize)
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	s.framer.MaxHeaderListSize = HeaderLimit
	// An error of writing shows when the answer is read, or in that there is none.
	io.WriteString(s.writer, http2.ClientPreface)
	s.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: windowGiven},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: HeaderLimit},
	)
	s.framer.WriteWindowUpdate(0, windowGiven-windowFirst)
	return s
}

// allow begins an exchange, which may read so many bytes.
func (s *streams) allow(bytes int64) { s.in.left, s.in.err = bytes, nil }

// read returns the next frame, and does what it asks of the connection.
func (s *streams) read() (http2.Frame, error) {
	f, err := s.framer.ReadFrame()
	if h, ok := f.(*http2.MetaHeadersFrame); ok && err != nil && tooLong(h) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, err
	}
	if _, ok := f.(*http2.SettingsFrame); !ok && !s.greeted {
		return nil, errors.New("the gateway's first HTTP/2 frame is not SETTINGS")
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		s.greeted = true
		if !f.IsAck() {
			if err := f.ForeachSetting(s.set); err != nil {
				return nil, err
			}
			s.framer.WriteSettingsAck()
			s.writer.Flush()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			s.framer.WritePing(true, f.Data)
			s.writer.Flush()
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			s.window += int64(f.Increment)
		}
	case *http2.DataFrame:
		s.giveBack(f.Header().Length)
	case *http2.GoAwayFrame:
		s.goAway = fmt.Sprintf("GOAWAY (%v)", f.ErrCode)
		if text := f.DebugData(); len(text) > 0 {
			s.goAway += fmt.Sprintf(" %q", text[:min(len(text), detailKept)])
		}
	case *http2.PushPromiseFrame:
		return nil, errors.New("the gateway pushes, which it was told not to")
	}
	return f, nil
}

// tooLong tells why the framer gave up on a header: it calls one that is much
// too long an error of the protocol, like others.
func tooLong(h *http2.MetaHeadersFrame) bool {
	size := uint32(0)
	for _, f := range h.Fields {
		size += f.Size()
	}
	return h.Truncated || size > HeaderLimit-frameSize
}

// set takes a setting of the gateway.
func (s *streams) set(got http2.Setting) error {
	if err := got.Valid(); err != nil {
		return err
	}
	switch got.ID {
	case http2.SettingInitialWindowSize:
		s.initial = int64(got.Val)
	case http2.SettingMaxFrameSize:
		s.frameMost = int(min(got.Val, math.MaxInt32))
	case http2.SettingHeaderTableSize:
		s.encoder.SetMaxDynamicTableSizeLimit(got.Val)
	}
	return nil
}

// giveBack opens the connection's window again for what was read, now and then.
func (s *streams) giveBack(read uint32) {
	if s.owed += read; s.owed >= windowGiven/2 {
		s.framer.WriteWindowUpdate(0, s.owed)
		s.writer.Flush()
		s.owed = 0
	}
}

// quiet says whether a new stream may be begun. It reads what has come between
// two requests, such as a PING, and never waits.
func (s *streams) quiet() bool {
	const head = 9 // bytes of a frame's header
	s.allow(HeaderLimit)
	for s.goAway == "" {
		p, err := s.reader.Peek(head)
		if err != nil {
			return len(p) == 0 && timedOut(err)
		}
		size := head + (int(p[0])<<16 | int(p[1])<<8 | int(p[2]))
		// A frame that has not come to its end, or that would not fit, is a doubt.
		if size > s.reader.Size() {
			return false
		}
		if _, err := s.reader.Peek(size); err != nil {
			return false
		}
		if _, err := s.read(); err != nil {
			return false
		}
	}
	return false
}
