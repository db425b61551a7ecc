// Errors as problem details (RFC 9457).

import { STATUS_CODES } from "node:http";

import createError from "http-errors";

const DETAILS = {
  400: "The body is not JSON.",
  404: "There is nothing at this address.",
  405: "This address takes only the methods that Allow lists.",
  409: "There is a song with this id already.",
  413: "The body is larger than this service takes.",
  415: "This address takes only JSON in UTF-8.",
  416: "The range begins after the end of the audio.",
  422: "The request can be read, but something in it does not fit.",
  500: "The service made a mistake.",
};
const TITLES = { ...STATUS_CODES, 413: "Content Too Large", 422: "Unprocessable Content" };
const RULES = {
  title:
    "A text of 1 to 100 characters with a letter from a to z or a digit, " +
    "and without control characters.",
  composer: "A text of 1 to 100 characters, without control characters.",
  year: "A whole number from 1 to 2100.",
  genre: "A text of 1 to 40 characters, without control characters.",
  q: "At most 100 characters.",
  limit: "A whole number from 1 to 100.",
  cursor: "What next said on the page before.",
};

/** The value as the schema reads it; a problem that names each part of it that does not fit. */
export function validate(schema, value, place) {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const details = new Map(error.issues.map((issue) => explain(issue, place)));
  const errors = [...details.keys()].sort().map((at) => ({ [place]: at, detail: details.get(at) }));
  throw createError(422, { errors });
}

function explain({ code, path }, place) {
  const [name] = path;
  if (place === "parameter") return [name, RULES[name]];
  if (code === "unrecognized_keys") return ["#", "A field that a song does not have."];
  if (name === undefined) return ["#", "A song is a JSON object."];
  return [`#/${name}`, RULES[name]];
}

/** Answers with a problem. Express knows a handler of errors by its four arguments. */
export function handleError(error, req, res, next) {
  const { status, headers = {}, errors } = asHttpError(error);
  if (status === 500) res.locals.error = error; // for the log
  res.status(status).set(headers).type("application/problem+json").json({
    type: "about:blank",
    title: TITLES[status],
    status,
    detail: DETAILS[status],
    errors,
  });
}

function asHttpError(error) {
  if (error instanceof URIError) return createError(404); // a % in the address that is not UTF-8
  return createError.isHttpError(error) ? error : createError(500);
}
