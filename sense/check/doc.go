// Package check says whether a video stream and its metadata are what the standards say: the transport (ISO/IEC 13818-1,
// ETSI TR 101 290), the way metadata is carried in it (MISB ST 1402), its coding (ST 0107, ST 0601, ST 0102, ST 0903), the items
// that must be there (ST 0902), and whether what it says twice agrees.
//
// Each fault belongs to a Class: a row that names the standard and the clause, the limit, what was expected and what to do. A
// Profile says which classes are errors, which warnings and which notes. Findings of one class about one thing are gathered:
// the first place, the last place, and how often. Nothing is repaired, and no picture is decoded; the file is read once, in
// bounded memory, however damaged it is.
package check
