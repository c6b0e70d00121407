export interface Column<T> {
  name: string;
  value(row: T): string | number;
}

/**
 * Rows as CSV (RFC 4180), with a byte-order mark so that spreadsheets read Chinese as UTF-8. A text
 * that a spreadsheet would run as a formula gets a leading apostrophe.
 */
export function printCsv<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const lines = [columns.map((column) => cell(column.name))];
  for (const row of rows) lines.push(columns.map((column) => cell(column.value(row))));
  return '\ufeff' + lines.map((line) => line.join(',') + '\r\n').join('');
}

function cell(value: string | number): string {
  let text = String(value);
  const isNumber = /^[+-]?\d+(\.\d+)?$/.test(text);
  if (!isNumber && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hands a text to the browser as a file to keep. */
export function saveFile(name: string, type: string, text: string | Blob): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
