package board

// maxSentence is the longest sentence kept, in bytes. The standard says 82, but
// proprietary and high-precision sentences are longer; what is longer than this is noise.
const maxSentence = 1024

// framer cuts a stream of bytes into NMEA 0183 sentences with a right checksum.
// It takes the stream in pieces of any size and holds at most one sentence.
//
// As gpsd does: a sentence runs from $ or ! to the end of its line; the last
// star in it starts the checksum, in upper or lower case, and what follows the
// two digits is ignored; a sentence without a checksum is refused; a $ within a
// sentence starts a new one; a line that begins with # is a comment. Beyond
// gpsd, a complete sentence is also taken when garbage follows it at once.
type framer struct {
	buf   [maxSentence]byte // what follows $ or !
	n     int
	state frameState
	line  int  // of the next byte, from 1
	cr    bool // the last byte was a carriage return
	fresh bool // the next byte is the first of its line

	count *NMEACounters
}

type frameState uint8

const (
	between frameState = iota // outside sentences
	comment
	sentence
)

func (f *framer) init(c *NMEACounters) { f.line, f.fresh, f.count = 1, true, c }

// push takes one byte; it returns a sentence without its checksum when the byte
// ended one that is right. The slice is valid until the next push. The byte may
// also start the next sentence, whose line is then f.line; line is that of the
// sentence returned.
func (f *framer) push(c byte) (body []byte, line int) {
	if c == '\r' || c == '\n' {
		line = f.line
		return f.endOfLine(c), line
	}
	if f.cr { // a lone carriage return ended the line before
		f.cr = false
		f.line++
	}
	line = f.line
	wasFresh := f.fresh
	f.fresh = false
	switch f.state {
	case sentence:
		switch {
		case c == '$', c == '!' && f.complete():
			body = f.cut()
			f.begin()
		case c < ' ' || c > '~':
			body = f.cut()
			f.count.Skipped++
		case f.n == maxSentence:
			f.count.Resyncs++
			f.drop()
			f.count.Skipped++
		default:
			f.buf[f.n] = c
			f.n++
		}
		return body, line
	case comment:
		if c >= ' ' || c == '\t' {
			return nil, line
		}
		f.state = between // a control byte: this was no comment but binary data
	default:
		switch {
		case c == '$' || c == '!':
			f.begin()
			return nil, line
		case c == '#' && wasFresh:
			f.state = comment
			return nil, line
		}
	}
	f.count.Skipped++
	return nil, line
}

// end says that the stream is over.
func (f *framer) end() (body []byte, line int) {
	if f.state == sentence {
		body = f.finish()
	}
	f.state = between
	return body, f.line
}

func (f *framer) endOfLine(c byte) (body []byte) {
	if f.state == sentence {
		body = f.finish()
	}
	f.state, f.fresh = between, true
	switch {
	case c == '\n':
		f.cr = false
		f.line++
	default:
		f.cr = true // CR CR LF is one line end
	}
	return body
}

func (f *framer) begin() { f.state, f.n = sentence, 0 }

// drop gives up the sentence being read.
func (f *framer) drop() {
	f.count.Skipped += uint64(f.n) + 1
	f.state, f.n = between, 0
}

// complete says whether the bytes so far end in a checksum.
func (f *framer) complete() bool {
	return f.n >= 3 && f.buf[f.n-3] == '*' && hex(f.buf[f.n-2]) >= 0 && hex(f.buf[f.n-1]) >= 0
}

// cut ends the sentence being read where another one or garbage begins.
func (f *framer) cut() []byte {
	if !f.complete() {
		f.count.Resyncs++
		f.drop()
		return nil
	}
	return f.finish()
}

// finish checks the sentence being read and leaves it.
func (f *framer) finish() []byte {
	star := f.n - 1
	for star >= 0 && f.buf[star] != '*' {
		star--
	}
	if star < 0 {
		f.count.NoChecksum++
		f.drop()
		return nil
	}
	if star+2 >= f.n || hex(f.buf[star+1]) < 0 || hex(f.buf[star+2]) < 0 {
		f.count.BadChecksums++
		f.drop()
		return nil
	}
	var sum byte
	for _, c := range f.buf[:star] {
		sum ^= c
	}
	if int(sum) != hex(f.buf[star+1])<<4|hex(f.buf[star+2]) {
		f.count.BadChecksums++
		f.drop()
		return nil
	}
	f.count.Sentences++
	f.state = between
	return f.buf[:star]
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
