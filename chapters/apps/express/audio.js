// Which part of a file a request asks for (RFC 9110, section 14.2).

/** The first byte and the one after the last; undefined if the whole file is to be sent. */
export function byteRange(headers, size) {
  const found = /^bytes=([0-9]*)-([0-9]*)$/i.exec(headers.range);
  if (found === null || found[0].endsWith("=-") || "if-range" in headers) return undefined;
  const [, first, last] = found;
  if (first === "") return [Math.max(size - Number(last), 0), size];
  if (last !== "" && Number(last) < Number(first)) return undefined;
  return [Number(first), Math.min(Number(last || size), size - 1) + 1];
}
