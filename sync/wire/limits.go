package wire

import (
	"errors"
	"fmt"
)

// Limits of everything on the wire; each is checked before decoding.
const (
	MaxMessage = 64 << 10 // bytes of one MQTT payload
	MaxRecords = 256      // records of one batch
	MaxBody    = 1 << 20  // bytes of a batch's body once decompressed
	MaxRecord  = 32 << 10 // bytes of one record, so that it fits a message of its own
	MaxDepth   = 8        // arrays and maps within each other
	MaxName    = 256      // bytes of an inline symbol
	MaxRanges  = 16       // ranges of one acknowledgement
	MaxItems   = 4096     // keys and items of one JSON document, all lists and objects together
	ChunkSize  = 32 << 10 // bytes of one blob chunk; the last may be shorter
)

var (
	// ErrTooLarge says that a message, body, record, count or depth is over its limit.
	ErrTooLarge = errors.New("over the limit")
	// ErrMalformed says that bytes are not what their place on the wire wants.
	ErrMalformed = errors.New("malformed")
)

func tooLarge(what string, n, max int) error {
	return fmt.Errorf("%s of %d is %w of %d", what, n, ErrTooLarge, max)
}

// checkJSON says whether a JSON document is within its limits. It is no check of its syntax.
func checkJSON(b []byte) error {
	if len(b) > MaxMessage {
		return tooLarge("message", len(b), MaxMessage)
	}
	depth, items, text := 0, 0, false
	for k := 0; k < len(b); k++ {
		switch c := b[k]; {
		case text:
			if c == '\\' {
				k++
			} else if c == '"' {
				text = false
			}
		case c == '"':
			text = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return tooLarge("depth", depth, MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		case c == ',':
			if items++; items >= MaxItems {
				return tooLarge("number of items", items+1, MaxItems)
			}
		}
	}
	return nil
}
