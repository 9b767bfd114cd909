package sample

import "encoding/binary"

var comma = []byte(",")

// isToken has what a header field's name may consist of, and hexDigit the value
// of a digit of a chunk's size, or -1.
var (
	isToken  [256]bool
	hexDigit [256]int8
)

func init() {
	for c := range 256 {
		hexDigit[c] = -1
	}
	for c := byte('0'); c <= '9'; c++ {
		isToken[c], hexDigit[c] = true, int8(c-'0')
	}
	for c := byte('a'); c <= 'z'; c++ {
		isToken[c], isToken[c-'a'+'A'] = true, true
	}
	for i := range int8(6) {
		hexDigit['a'+i], hexDigit['A'+i] = 10+i, 10+i
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		isToken[c] = true
	}
}

// isText says whether a header field's value has no control characters, eight
// at a time.
func isText(value []byte) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; len(value) >= 8; value = value[8:] {
		x := binary.LittleEndian.Uint64(value)
		del := x ^ 0x7f*low
		// A byte below blank, or a deletion, borrows into its highest bit. A borrow
		// from the byte before may look like one too: then they are looked at singly.
		if ((x-0x20*low)&^x|(del-low)&^del)&high != 0 && !isPlain(value[:8]) {
			return false
		}
	}
	return isPlain(value)
}

func isPlain(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// fold compares letters of any case; want has no control characters.
func fold(got []byte, want string) bool {
	if len(got) != len(want) {
		return false
	}
	for i, c := range got {
		d := want[i]
		if c != d && (c|0x20 != d|0x20 || d|0x20 < 'a' || d|0x20 > 'z') {
			return false
		}
	}
	return true
}

// blank takes blanks and tabs off both ends.
func blank(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
