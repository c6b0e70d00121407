import { createContext, useContext } from 'react';
import { tell } from './sentences';
import { en } from './words/en';
import { zh } from './words/zh';

export type Language = 'zh' | 'en';
export type Word = keyof typeof zh;
export type Fill = Record<string, string | number>;

const tables: Record<Language, Record<Word, string>> = { zh, en };
const storageKey = 'suan.language';

/** The words for a key, with `{name}` filled in. */
export function say(language: Language, word: Word, fill: Fill = {}): string {
  return tables[language][word].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in fill ? String(fill[name]) : whole,
  );
}

/** The words for `prefix.name`, if there are any. */
export function wordFor(language: Language, prefix: string, name: string): string | undefined {
  const table: Record<string, string | undefined> = tables[language];
  return table[`${prefix}.${name}`];
}

/** The words for `prefix.name`, else `name` itself, made readable. */
export function sayName(language: Language, prefix: string, name: string): string {
  return wordFor(language, prefix, name) ?? name.replaceAll('_', ' ');
}

/** What was chosen before, else Chinese or English by the browser's first language. */
export function firstLanguage(stored: string | null, browser: readonly string[]): Language {
  if (stored === 'zh' || stored === 'en') return stored;
  return browser[0]?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function loadLanguage(): Language {
  return firstLanguage(localStorage.getItem(storageKey), navigator.languages);
}

export function storeLanguage(language: Language): void {
  localStorage.setItem(storageKey, language);
}

export interface Words {
  language: Language;
  t(word: Word, fill?: Fill): string;
  /** Of an enumerator: `name('state', 'running')`. */
  name(prefix: string, name: string): string;
  /** Of a sentence that the server said in English. */
  told(sentence: string): string;
}

export function wordsOf(language: Language): Words {
  return {
    language,
    t: (word, fill) => say(language, word, fill),
    name: (prefix, name) => sayName(language, prefix, name),
    told: (sentence) => tell(language, sentence),
  };
}

export const WordsContext = createContext<Words>(wordsOf('zh'));
export const useWords = (): Words => useContext(WordsContext);
