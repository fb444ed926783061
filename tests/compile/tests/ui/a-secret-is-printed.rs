use connectome::Secret;

fn main() {
    println!("{}", Secret::new("a token"));
}
