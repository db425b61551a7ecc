// A song of the catalogue.
package music;

record Song(String id, String title, String composer, int year, String genre) {
}
