/** One numbered run of lines, so that a page can show a long log as a list of steady pieces. */
export interface LogBlock {
  /** Number of the first line, from 0. */
  first: number;
  lines: readonly string[];
}

const blockLines = 200;
const blocksMax = 50;
const lineLengthMax = 16_384;
const escape = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g;
const openEscape = /\x1b(?:\[[0-9;? -/]{0,32}|\][^\x07\x1b]{0,256}\x1b?)?$/;

/**
 * What a terminal would have kept of a stream of text: escape sequences are dropped, a carriage
 * return starts the line over (progress bars), and only the last lines are held.
 */
export class LogText {
  /** Oldest first; a full block never changes again. */
  blocks: LogBlock[] = [];
  /** Lines let go from the front. */
  dropped = 0;
  private rest = '';
  private open = '';
  private isReturned = false;

  feed(piece: string): void {
    let text = this.rest + piece;
    const cut = openEscape.exec(text);
    this.rest = cut ? cut[0] : '';
    if (cut) text = text.slice(0, cut.index);
    text = text.replace(escape, '');
    const parts = text.split('\n');
    parts.forEach((part, i) => {
      this.write(part);
      if (i + 1 < parts.length) this.endLine();
    });
    this.showOpen();
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  private write(part: string): void {
    for (const [i, piece] of part.split('\r').entries()) {
      if (i > 0) this.isReturned = true;
      if (!piece) continue;
      this.open = this.isReturned ? piece : this.open + piece;
      this.isReturned = false;
      while (this.open.length > lineLengthMax) {
        const rest = this.open.slice(lineLengthMax);
        this.open = this.open.slice(0, lineLengthMax);
        this.endLine();
        this.open = rest;
      }
    }
  }

  private endLine(): void {
    this.putLast(this.open, true);
    this.open = '';
    this.isReturned = false;
  }

  private showOpen(): void {
    if (this.open || this.hasOpen) this.putLast(this.open, false);
  }

  private hasOpen = false;

  // The last line of the last block is the open one when `hasOpen`.
  private putLast(line: string, isEnded: boolean): void {
    const last = this.blocks.at(-1);
    if (this.hasOpen && last) {
      this.blocks[this.blocks.length - 1] = {
        first: last.first,
        lines: [...last.lines.slice(0, -1), line],
      };
    } else if (last && last.lines.length < blockLines) {
      this.blocks[this.blocks.length - 1] = { first: last.first, lines: [...last.lines, line] };
    } else {
      this.blocks.push({ first: last ? last.first + last.lines.length : 0, lines: [line] });
    }
    this.hasOpen = !isEnded;
    while (this.blocks.length > blocksMax) {
      this.dropped += this.blocks[0]!.lines.length;
      this.blocks.shift();
    }
  }
}
