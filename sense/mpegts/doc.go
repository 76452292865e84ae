// Package mpegts takes the metadata out of MPEG-2 transport streams (ISO/IEC 13818-1), as motion imagery carries it: MISB
// ST 1402, STANAG 4609. It reads packets, tables and PES headers of its own: the metadata wants byte offsets, PES that are
// cut short at the end of a file, access-unit cells over several PES and constant memory, and none of these is to be had
// from the general libraries. It decodes no picture; of video it reads the few header bits that say size and codec.
//
// A Demuxer streams: a file of 20 GB takes no more memory than one of 20 kB. A Writer makes a transport stream of metadata.
package mpegts
