/** What a screen reader is told. The text changes for every announcement, also when it is the same as before. */

const MOST_CHARACTERS = 600;

export class Announcer {
  text = $state("");
  #odd = false;

  say(text: string): void {
    const short = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)} …` : text;
    this.#odd = !this.#odd;
    // a blank that is not heard makes it another text
    this.text = this.#odd ? short : `${short}\u00a0`;
  }
}
