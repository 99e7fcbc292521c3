package boardtest

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

func TestRecordingReadsBack(t *testing.T) {
	var r Recording
	r.AddBytes(0, []byte("$GPRMC,,V,,,,,,,,,,N*53\r\n"))
	r.AddBytes(20, []byte{0xb5, 0x62, 0, '"', '\n', 0xff})
	r.AddI2C(1020, i2ctest.IO{Addr: 0x76, W: []byte{0xd0}, R: []byte{0x60}}, i2ctest.IO{Addr: 5, W: []byte{1, 2}}, i2ctest.IO{Addr: 0x3ff, R: []byte{7}})
	text := r.Append(nil)
	back, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, r) {
		t.Errorf("read back %+v, want %+v from\n%s", back, r, text)
	}
	if got := len(back.Bytes()); got != 2 {
		t.Errorf("%d pieces, want 2", got)
	}
	if ops := back.I2C(); len(ops) != 3 || ops[0].Addr != 0x76 || ops[0].R[0] != 0x60 {
		t.Errorf("transactions %+v", ops)
	}
}

func TestRecordingForm(t *testing.T) {
	const text = "# cold start\n\n0 bytes \"a\\r\\n\"\n7 i2c 0x76 write d0 read 60\n"
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(r.Append(nil)), "0 bytes \"a\\r\\n\"\n7 i2c 0x76 write d0 read 60\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestRecordingErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x bytes \"a\"":                      "line 1: time",
		"5 bytes \"a\"\n4 bytes \"b\"":       "line 2: time 4 ms is before",
		"5 bytes a":                          "not quoted",
		"5 spi 1":                            "neither bytes nor i2c",
		"5 i2c":                              "a transaction is",
		"5 i2c 0x76 write":                   "a transaction is",
		"5 i2c 0x7600000 write d0":           "address",
		"5 i2c 0x76 write d":                 "not hexadecimal",
		"5 i2c 0x76 read d0 write d0":        "does not belong here",
		"5 i2c 0x76 erase d0":                "does not belong here",
		"99999999999999999999999 bytes \"\"": "line 1: time",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("0 bytes \"a\\r\\n\"\n7 i2c 0x76 write d0 read 60\n"))
	f.Add([]byte("# only\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		printed := r.Append(nil)
		back, err := Parse(printed)
		if err != nil || !bytes.Equal(back.Append(nil), printed) {
			t.Errorf("%q prints %q, which does not read back: %v", text, printed, err)
		}
	})
}
