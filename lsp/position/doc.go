// Package position converts between byte offsets in a UTF-8 text and the
// line/character positions of the Language Server Protocol.
//
// # Terms
//
//   - A line ends at "\n", "\r\n" or a lone "\r"; the terminator is not part of
//     the line's content. A text always has at least one line, and a text that
//     ends in a terminator has an empty last line.
//   - A unit is what the character number counts: bytes, UTF-16 code units or
//     code points, whichever the client negotiated ([Encoding]).
//
// # Rules
//
//   - P0: offsets are byte offsets into the text the [Mapper] was made of. The
//     Mapper keeps that slice; nobody may change it any more.
//   - P1: a character number past the end of its line means the end of the line,
//     before the terminator, as the protocol demands.
//   - P2: a line that does not exist is an error, never a guess: a client that
//     names one has another text than the server. The one exception is the end of
//     a range at (number of lines, 0), which several editors send for "to the end".
//   - P3: a position inside a character (between two surrogates, or between the
//     bytes of one code point) means the start of that character.
//   - P4: an offset between "\r" and "\n" means the end of that line's content.
//   - P5: every byte that is no part of valid UTF-8 counts as one unit in every
//     encoding, so conversion is total on any bytes.
//   - P6: Offset(Position(o)) == o for every offset o that lies on a character
//     boundary and not inside a line terminator.
//
// Nothing here locks or blocks; a Mapper is immutable and may be shared.
package position
