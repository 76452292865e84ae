// Package klv reads and writes the metadata of motion imagery: key, length, value (SMPTE ST 336) with the vocabularies of the Motion
// Imagery Standards Board. ST 0601 (UAS datalink local set) and what it holds: ST 0102 (security), 0806 (remote video terminal), 0903
// (moving target indications, of both codings), 1002, 1107, 1202, 1206, 1601, 1602, 1607; 1108 beside it; EG 0104, the older universal
// set; the numbers of ST 1201, arrays of ST 1303, deviations of ST 1010, identifiers of ST 1204, the times in pictures of ST 0604. It
// needs nothing but the standard library. docs/reference/klv.md lists every item.
//
// What a standard says about an item is one row of a table: a reviewer can hold the table against the standard line by line, and the
// same row feeds decoder, encoder, names and reference. Nothing is dropped: a packet with a stale checksum, an unknown tag, a value of
// the wrong size is kept with its bytes and a named problem, and AppendTo writes the packet back as it came. "Out of range" codes and
// zero lengths are states, never numbers.
//
// Decode reads the numbers and texts of a packet, and allocates nothing when a Set is used again. Packs, lists, arrays and sets within
// sets are taken apart on demand: Item.Tree and Set.Tree give a Node, which can be walked, asked by tag and name, printed as JSON and
// turned into a Value to be written again. Reader and Splitter find the packets in bytes.
//
// Tables are never changed and may be read from anywhere; a Set, a Splitter and the states of a stream belong to one goroutine.
//
// A few items (see Withheld) stay bytes for good: this is a tool for finding and checking places, and nothing else.
package klv
