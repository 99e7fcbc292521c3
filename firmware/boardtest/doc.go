// Package boardtest records the traffic of real hardware and plays it back: the
// bytes of a serial port with their times, and the transactions of an I2C bus.
//
// A recording is plain text, one entry a line, so that it can be read, cut and
// written by hand:
//
//	# GNSS mouse, cold start
//	0 bytes "$GPRMC,,V,,,,,,,,,,N*53\r\n"
//	1020 i2c 0x76 write d0 read 60
//
// The first word is the time in milliseconds since the recording began, which
// never decreases.
//
// It guarantees that what it prints reads back as the same entries, and that a
// line that cannot be read is an error with its number. It is pure: who records
// brings the time along; playback is data ([Recording.Bytes] for a stream,
// [Recording.I2C] for an i2ctest.Playback).
package boardtest
