// Package klv reads and writes the metadata of motion imagery: key, length, value (SMPTE ST 336) with the vocabularies of
// MISB ST 0601 (UAS datalink local set), ST 0102 (security), ST 0903 (moving target indications, its head only) and
// EG 0104 (the older universal set), and the ST 1201 mapping of numbers. It needs nothing but the standard library.
//
// What a standard says about an item is one row of a table: a reviewer can hold the table against the standard line by line,
// and the same row feeds decoder, encoder and names. Nothing is dropped: a packet with a stale checksum, an unknown tag, a
// value of the wrong size is kept with its bytes and a named problem, and AppendTo writes the packet back as it came.
// "Out of range" codes and zero lengths are states, never numbers.
//
// A few items (see Withheld) stay bytes for good: this is a tool for finding and checking places, and nothing else.
package klv
