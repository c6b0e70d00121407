/** Server-sent events, parsed as WHATWG HTML §9.2 says. */

export interface SseMessage {
  id: string;
  event: string;
  data: string;
}

/** Puts messages together from pieces of text of any size. */
export class SseParser {
  /** The id to resume from; "" until a message carried one. */
  lastId = '';
  /** Milliseconds to wait before reconnecting, if the server named them. */
  retryMs: number | null = null;

  private rest = '';
  private isFirst = true;
  private id = '';
  private event = '';
  private data: string[] = [];

  /** The messages that this piece completed, in order. */
  feed(piece: string): SseMessage[] {
    let text = this.rest + piece;
    if (this.isFirst && text.length > 0) {
      this.isFirst = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    const messages: SseMessage[] = [];
    let from = 0;
    for (;;) {
      const end = nextLineEnd(text, from);
      if (!end) break;
      const message = this.takeLine(text.slice(from, end.at));
      if (message) messages.push(message);
      from = end.next;
    }
    this.rest = text.slice(from);
    return messages;
  }

  private takeLine(line: string): SseMessage | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id' && !value.includes('\0')) this.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  private dispatch(): SseMessage | null {
    const { event, data } = this;
    this.lastId = this.id;
    this.event = '';
    this.data = [];
    if (data.length === 0) return null;
    return { id: this.lastId, event: event || 'message', data: data.join('\n') };
  }
}

// A CR at the very end may be half of a CRLF, so it waits for the next piece.
function nextLineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let at = from; at < text.length; ++at) {
    const code = text.charCodeAt(at);
    if (code === 10) return { at, next: at + 1 };
    if (code === 13) {
      if (at + 1 === text.length) return null;
      return { at, next: text.charCodeAt(at + 1) === 10 ? at + 2 : at + 1 };
    }
  }
  return null;
}
