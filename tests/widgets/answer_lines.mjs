// Answers calls from standard input: a line of JSON {call, arguments} in, {result} or {failed} out.

import { createInterface } from "node:readline";

export async function answerLines(calls) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, arguments: values } = JSON.parse(line);
    let answer;
    try {
      answer = { result: calls[call](...values) ?? null };
    } catch (error) {
      answer = { failed: String(error.stack) };
    }
    console.log(JSON.stringify(answer));
  }
}
