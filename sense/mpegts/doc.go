// Package mpegts reads and writes MPEG-2 transport streams (ISO/IEC 13818-1) of motion imagery with metadata: MISB ST 1402,
// STANAG 4609. It reads packets, tables and PES headers of its own: the metadata wants byte offsets, PES that are cut short at
// the end of a file, access-unit cells over several PES and constant memory, and none of these is to be had from the general
// libraries. It decodes no picture; of video it reads the headers that say where pictures begin and what they are.
//
// A Demuxer streams: a file of 20 GB takes no more memory than one of 20 kB. It gives metadata and, by Take, pictures and
// sound; Watch tells what it met, and Facts gathers that for a check. An Indexer writes where all lies in one pass; an Index
// finds it by time, begins reading there (ReadFrom), and cuts clips (Cut). A Writer makes a transport stream of pictures and of
// metadata of both kinds. A Feed makes datagrams of a live stream readable.
//
// Times are in ticks of 90 kHz. The 33 bits of the stream begin again each 26.5 hours; here they run on, on one line for all
// streams of a file.
package mpegts
