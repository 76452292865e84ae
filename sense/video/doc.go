// Package video reads what a motion-imagery file says about itself: where the aircraft and its sensor were, where they
// looked, and which ground the picture covered. It reads MPEG transport streams and raw KLV files, packet by packet, in
// constant memory; it decodes no picture.
//
// Metadata is reported on change: an item that a packet leaves out still stands, until it is cleared or 30 seconds old. Of
// twin items the full-range one goes before the restricted one, and a height above the ellipsoid (HAE) before one above mean
// sea level (MSL). Each height says which it is; one becomes the other by a geoid only, where the caller has one: between the two
// lie up to a hundred metres that the metadata does not tell.
//
// One ray serves all: frame center, corners, pixels, marked targets. It meets a raised ellipsoid or a terrain, and its place comes
// with an ellipse of what was declared, assumed and rounded. Between packets a look is interpolated (Timeline), never extrapolated.
//
// It stands on the floor of sense/klv and sense/mpegts and, by an exception that the table of floors grants, reads both.
package video
