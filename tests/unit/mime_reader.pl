#!/usr/bin/perl
# Reads mail with two Perl libraries that share no code with Python's: a line of JSON in, a line of JSON out.
#   in:  {"message": BASE64}
#   out: {"email_mime": {...}, "mime_tools": {...}} with header fields decoded and leaf parts in order, or {"error": TEXT}
use strict;
use warnings;
use JSON::PP;
use MIME::Base64 qw(encode_base64 decode_base64);
use Encode qw(decode);
use Email::MIME;
use MIME::Parser;

my $json = JSON::PP->new->ascii;
$| = 1;

sub read_with_email_mime {
    my ($bytes) = @_;
    my $mail = Email::MIME->new($bytes);
    my @fields = $mail->header_str_pairs;
    my %addresses;
    for my $name (qw(From Reply-To To Cc)) {
        my $list = $mail->header_as_obj($name) or next;
        $addresses{$name} = [ map { [ $_->phrase, $_->address ] } $list->addresses ];
    }
    my @parts;
    $mail->walk_parts(sub {
        my ($part) = @_;
        my $type = Email::MIME::ContentType::parse_content_type($part->content_type // 'text/plain');
        my $kind = "$type->{type}/$type->{subtype}";
        my @inside = $kind eq 'message/rfc822' ? () : $part->subparts;
        return if @inside;
        push @parts, {
            type => $kind, attributes => $type->{attributes}, filename => $part->filename,
            id => scalar $part->header_raw('Content-ID'), body => encode_base64($part->body, ''),
        };
    });
    return { fields => \@fields, addresses => \%addresses, parts => \@parts };
}

sub read_with_mime_tools {
    my ($bytes) = @_;
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    $parser->extract_nested_messages(0);
    my $mail = $parser->parse_data($bytes);
    my (@parts, @stack);
    @stack = ($mail);
    while (my $part = shift @stack) {
        if (my @inside = $part->parts) { unshift @stack, @inside; next; }
        my $name = $part->head->recommended_filename;
        push @parts, {
            type => $part->effective_type, filename => $name,
            body => encode_base64($part->bodyhandle ? $part->bodyhandle->as_string : '', ''),
        };
    }
    my @errors = ($parser->results->errors, $parser->results->warnings);
    return { parts => \@parts, complaints => \@errors };
}

while (my $line = <STDIN>) {
    my $bytes = decode_base64($json->decode($line)->{message});
    my $answer = eval { { email_mime => read_with_email_mime($bytes), mime_tools => read_with_mime_tools($bytes) } };
    $answer = { error => "$@" } unless $answer;
    print $json->encode($answer), "\n";
}
